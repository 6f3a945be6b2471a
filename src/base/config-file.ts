import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { messageOf, RuntimeError } from './errors.js';
import { guardModes } from './guard-settings.js';
import { issuersSchema } from './issuer-settings.js';
import { isObject } from './json.js';
import { type Jsonc, JsonSyntaxError, parseJsonc } from './jsonc.js';
import {
  type ConfiguredServers,
  formsOfServer,
  type ServerSettings,
  serverSettings,
  serversSchema,
  toolPreferencesSchema,
  type UnusedServer,
} from './server-settings.js';
import { type ProviderSection, type SettingName, settingNamed } from './settings.js';
import { nearest } from './text.js';
import { moduleVariables } from './variable-names.js';

const allowedCommand = z.strictObject({
  program: z.string().min(1),
  args: z.array(z.string()).optional(),
  allowArgs: z.union([z.boolean(), z.array(z.string().refine(isPattern, 'is not a regular expression'))]).optional(),
  cwd: z.string().optional(),
  env: z.array(z.string()).optional(),
  timeoutSeconds: z.int().min(1).max(86_400).optional(),
  maxOutputBytes: z.int().min(1).max(100_000_000).optional(),
});

const price = z.strictObject({
  input: z.number().min(0),
  output: z.number().min(0),
  cacheWrite: z.number().min(0).optional().describe('That of input unless given.'),
  cacheRead: z.number().min(0).optional().describe('That of input unless given.'),
  upTo: z.int().min(1).optional().describe('It holds for prompts of at most so many tokens.'),
  until: z.iso.date().optional().describe('It holds until the end of this day.'),
});

const sinkModule = z.union(
  [
    z.string().min(1),
    z.strictObject({
      module: z.string().min(1).describe('Its path.'),
      env: moduleVariables,
      events: z
        .array(z.string().min(1).max(100))
        .min(1)
        .max(100)
        .optional()
        .describe('Such as task.*; all unless given.'),
      project: z.string().optional().describe('Events of this project alone.'),
      goal: z.int().min(1).optional().describe('Events of this goal, its tasks and its jobs alone.'),
    }),
  ],
  { error: 'is neither the path of a module nor {"module": path, "env": [names], "events": [patterns]}' },
);

const agentModule = z.union(
  [
    z.string().min(1),
    z.strictObject({
      module: z.string().min(1).describe('Its path.'),
      env: moduleVariables,
    }),
  ],
  { error: 'is neither the path of a module nor {"module": path, "env": [names]}' },
);

/** `~/.claude/agent_runtime.json`. An unknown key is an error, so that a misspelt one does not pass unnoticed. */
export function configFileSchema(providers: readonly ProviderSection[]) {
  const perProvider = (schemaOf: (provider: ProviderSection) => z.ZodType | undefined) =>
    z.strictObject(
      Object.fromEntries(
        providers.flatMap((provider) => {
          const schema = schemaOf(provider);
          return schema ? [[provider.id, schema.optional()]] : [];
        }),
      ),
    );
  const modelTable = perProvider(({ models }) => (models ? z.record(z.string(), z.string()) : undefined)) as z.ZodType<
    Readonly<Record<string, Readonly<Record<string, string>> | undefined>>
  >;
  const schema = z.strictObject({
    $schema: z.string().optional().describe('Where editors find this schema.'),
    model: z.string().optional().describe('The model of background tasks that do not name one.'),
    secretsFile: z.string().optional().describe('A file of NAME=value lines with keys, readable by its owner alone.'),
    limits: z
      .strictObject({
        workerSlots: limitOf('AGENT_RUNTIME_WORKER_SLOTS').optional(),
        maxRunningJobs: limitOf('AGENT_RUNTIME_MAX_RUNNING_JOBS').optional(),
        maxModelCalls: limitOf('AGENT_RUNTIME_MAX_MODEL_CALLS').optional(),
        callsPerRunner: z.int().min(1).max(64).optional().describe('Model calls that one background process carries.'),
        runnerHeapMb: z.int().min(64).max(65_536).optional().describe('Memory of a runner, in megabytes.'),
        retentionDays: limitOf('AGENT_RUNTIME_RETENTION_DAYS').optional(),
        concurrency: z
          .record(z.string().min(1).max(200), z.int().min(1).max(1_000))
          .optional()
          .describe('How many jobs with a concurrency_key run at once, by key; * stands for any text.'),
        rates: z
          .record(
            z.string(),
            z.strictObject({
              requestsPerMinute: z.int().min(1).optional(),
              tokensPerMinute: z.int().min(1).optional().describe('Of prompts and answers together.'),
            }),
          )
          .optional()
          .describe('How often model providers may be called, by provider.'),
        logDays: z.int().min(1).max(3_650).optional().describe('How many days log files are kept.'),
      })
      .optional()
      .describe('Bounds shared by all sessions.'),
    providers: withNamed(
      perProvider(({ settings, kind }) => (kind === undefined ? settings : undefined)),
      providers,
    )
      .optional()
      .describe('Settings of the model providers.'),
    guard: z
      .enum(guardModes)
      .optional()
      .describe('What the guard does about edits of paths that another session has reserved.'),
    agents: z.array(agentModule).max(100).optional().describe('Your own modules with agents.'),
    sinks: z
      .record(
        z.string().regex(/^[\w.-]{1,60}$/, 'a name of letters, digits, dots, hyphens and underscores'),
        sinkModule,
      )
      .optional()
      .describe('Your own modules that get every event, by name.'),
    webhooks: z
      .strictObject({
        allowPrivate: z
          .array(z.string().min(1).refine(isHostOrNetwork, 'is no address, network or name of a host'))
          .max(100)
          .optional()
          .describe(
            'Hosts, addresses and networks such as 10.0.0.0/8 that webhooks may reach although they are private.',
          ),
      })
      .optional()
      .describe('Where webhooks may go.'),
    commands: z
      .record(z.string().regex(/^[\w.-]+$/), allowedCommand)
      .optional()
      .describe('The programs that jobs of type command may run, by name.'),
    models: z
      .strictObject({ aliases: modelTable.optional(), retired: modelTable.optional() })
      .optional()
      .describe('More aliases and retired model ids, by provider.'),
    prices: z
      .record(z.string(), price)
      .optional()
      .describe('US dollars for a million tokens, by MODEL or PROVIDER:MODEL; * stands for any text.'),
    mcpServers: serversSchema.optional().describe('The MCP servers whose tools call_tool calls, as in .mcp.json.'),
    issuers: issuersSchema.optional().describe('Issuers whose access tokens let callers in over HTTP.'),
    toolPreferences: toolPreferencesSchema.optional().describe('Which tools and servers each agent prefers.'),
  });
  return schema.check(({ value, issues }) => {
    const known = namesOfProviders(providers, value.providers);
    for (const name of Object.keys(value.limits?.rates ?? {}).filter((name) => !known.includes(name))) {
      const near = nearest(name, known);
      const meant = near.length > 0 ? `. Did you mean ${near.join(' or ')}?` : '';
      const message = `${JSON.stringify(name)} is the name of no provider${meant}`;
      issues.push({ code: 'custom', input: name, path: ['limits', 'rates', name], message });
    }
  });
}

/** As model strings begin: those of the program, those of the file, and `custom:NAME`. */
function namesOfProviders(providers: readonly ProviderSection[], sections: Record<string, unknown> = {}): string[] {
  const custom = isObject(sections.custom) ? Object.keys(sections.custom) : [];
  return [...providers.map(({ id }) => id), ...Object.keys(sections), ...custom.map((name) => `custom:${name}`)];
}

/** Adds the sections of other names, which have a `kind`. */
function withNamed(known: z.ZodObject, providers: readonly ProviderSection[]): z.ZodObject {
  const [named] = providers.flatMap(({ kind, settings }) =>
    kind !== undefined && settings instanceof z.ZodRecord ? [settings] : [],
  );
  if (!named) return known;
  const one = known.catchall(named.valueType);
  return one.check(({ value, issues }) => {
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(known.shape, name) || nameOfKind.test(name)) continue;
      issues.push({
        code: 'custom',
        input: name,
        path: [name],
        message: `${JSON.stringify(name)} is not a name of small letters, digits and hyphens`,
      });
    }
  });
}

const nameOfKind = /^[a-z][a-z\d-]*$/;

/** The same range as that of the variable. */
const limitOf = (name: SettingName) =>
  z
    .int()
    .min(1)
    .max(settingNamed(name).atMost ?? Number.MAX_SAFE_INTEGER);

export type ConfigFile = z.output<ReturnType<typeof configFileSchema>>;

/** What a config file says. */
export interface ReadConfigFile {
  file: Omit<ConfigFile, 'mcpServers'>;
  servers: ConfiguredServers;
}

/**
 * The config file, empty if there is none. It may have comments and trailing commas. An entry of `mcpServers` that is
 * wrong is left out, since everything else can do without it. Throws `invalid` for any other mistake, naming the file,
 * and line and column of each.
 */
export function readConfigFile(path: string, providers: readonly ProviderSection[]): ReadConfigFile {
  const text = readIfThere(path);
  if (text === undefined || text.trim() === '') return { file: {}, servers: { used: {}, unused: [] } };
  return parseConfigFile(text, path, providers);
}

/** What the text of a config file says. Throws as `readConfigFile` does, naming `path`. */
export function parseConfigFile(text: string, path: string, providers: readonly ProviderSection[]): ReadConfigFile {
  let json: Jsonc;
  try {
    json = parseJsonc(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw wrong(path, `is not JSON: ${error.message}.`);
  }
  const schema = configFileSchema(providers);
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return sortServers(parsed.data, []);
  const names = configJsonSchema(providers);
  const isOfServer = ({ path: [section, server] }: z.core.$ZodIssue) =>
    section === 'mcpServers' && server !== undefined;
  const issues = withoutKind(parsed.error.issues, json.value);
  const mistakes = issues.map((issue) => ({ issue, texts: mistakesOf(issue, json, names) }));
  const others = mistakes.filter(({ issue }) => !isOfServer(issue));
  if (others.length > 0)
    throw wrong(path, `is not as it should be.\n${others.flatMap(({ texts }) => texts).join('\n')}`);
  const problems = new Map<string, string[]>();
  for (const { issue, texts } of mistakes) {
    const server = String(issue.path[1]);
    problems.set(server, [...(problems.get(server) ?? []), ...texts]);
  }
  const leftOut = [...problems].map(([server, texts]) => ({ server, problem: texts.map(inOneLine).join('; ') }));
  return sortServers(schema.parse(withoutServers(json.value, [...problems.keys()])), leftOut);
}

/** A section of an unknown name that has no `kind` is most likely a misspelt one of a known name. */
function withoutKind(issues: readonly z.core.$ZodIssue[], file: unknown): z.core.$ZodIssue[] {
  const sections = isObject(file) && isObject(file.providers) ? file.providers : {};
  const misspelt = issues.flatMap(({ path: [place, name, key] }) => {
    const section = sections[String(name)];
    return place === 'providers' && key === 'kind' && isObject(section) && section.kind === undefined ? [name] : [];
  });
  const isOfMisspelt = ({ path: [place, name] }: z.core.$ZodIssue) => place === 'providers' && misspelt.includes(name);
  return [
    ...issues.filter((issue) => !isOfMisspelt(issue)),
    ...misspelt.map(
      (name): z.core.$ZodIssue => ({
        code: 'unrecognized_keys',
        keys: [String(name)],
        path: ['providers'],
        message: '',
      }),
    ),
  ];
}

/** Those that are switched off apart from those that are used. */
function sortServers({ mcpServers = {}, ...file }: ConfigFile, leftOut: readonly UnusedServer[]): ReadConfigFile {
  const isOff = ([, { disabled }]: [string, ServerSettings]) => disabled === true;
  const entries = Object.entries(mcpServers);
  const off = entries.filter(isOff).map(([server]) => ({ server, problem: undefined }));
  return {
    file,
    servers: {
      used: Object.fromEntries(entries.filter((entry) => !isOff(entry))),
      unused: [...leftOut, ...off],
    },
  };
}

/** The file without some servers, also where they are named as backups. */
function withoutServers(file: unknown, names: readonly string[]): unknown {
  if (!isObject(file) || !isObject(file.mcpServers)) return file;
  const kept = Object.entries(file.mcpServers).filter(([server]) => !names.includes(server));
  const mcpServers = kept.map(([server, entry]) => {
    if (!isObject(entry) || !Array.isArray(entry.backups)) return [server, entry] as const;
    return [server, { ...entry, backups: entry.backups.filter((backup) => !names.includes(String(backup))) }] as const;
  });
  return { ...file, mcpServers: Object.fromEntries(mcpServers) };
}

const inOneLine = (mistake: string): string => mistake.replace(/^✖ /, '').replace(/\n\s*→/, ',');

/** What is wrong at one place, with the place and the name that was probably meant. */
function mistakesOf(issue: z.core.$ZodIssue, { placeOf }: Jsonc, schema: JsonSchema): string[] {
  const at = (path: readonly PropertyKey[]) =>
    `${path.length > 0 ? `${z.core.toDotPath(path)}, ` : ''}${placeOf(path)}`;
  // The reason why a name is refused stands inside.
  if (issue.code === 'invalid_key') {
    const name = JSON.stringify(issue.path.at(-1));
    return issue.issues.map(({ message }) => `✖ ${name} is not ${message}\n  → at ${at(issue.path)}`);
  }
  if (issue.code !== 'unrecognized_keys') return [`✖ ${issue.message}\n  → at ${at(issue.path)}`];
  return issue.keys.map((key) => {
    const near = nearest(key, [...new Set(namesAt(schema, issue.path))]);
    const meant = near.length > 0 ? `. Did you mean ${near.join(' or ')}?` : '';
    return `✖ Unrecognized key: ${JSON.stringify(key)}${meant}\n  → at ${at([...issue.path, key])}`;
  });
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The schema of the config file as JSON Schema, for editors. */
export function configJsonSchema(providers: readonly ProviderSection[]): JsonSchema {
  return z.toJSONSchema(configFileSchema(providers), {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      // What a transformation takes is unknown to JSON Schema.
      if (zodSchema === serverSettings) jsonSchema.anyOf = formsOfServer.map((form) => z.toJSONSchema(form));
    },
  });
}

/** The names that a key at a path of the config file may have. */
function namesAt(schema: JsonSchema, [part, ...rest]: readonly PropertyKey[]): string[] {
  const forms = [schema, ...(schema.anyOf ?? [])];
  if (part === undefined) return forms.flatMap(({ properties = {} }) => Object.keys(properties));
  return forms.flatMap(({ properties, additionalProperties, items }) => {
    const inner = properties?.[String(part)] ?? additionalProperties ?? items;
    return typeof inner === 'object' && !Array.isArray(inner) ? namesAt(inner, rest) : [];
  });
}

/**
 * Keys from a file of `NAME=value` lines, for clients that strip them from the environment.
 * Throws `invalid` if others than its owner can read it.
 */
export function readSecretsFile(path: string): Record<string, string | undefined> {
  const text = readIfThere(path);
  if (text === undefined) throw wrong(path, 'is named as secretsFile but does not exist.');
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new RuntimeError('invalid', `The secrets file ${path} can be read by others.`, `Run: chmod 600 "${path}"`);
  }
  return parseEnv(text);
}

/** A path of the config file: `~` is the home, anything relative starts at the file's own directory. */
export function resolvePath(path: string, { home, configPath }: { home: string; configPath: string }): string {
  const expanded = path === '~' || path.startsWith('~/') ? home + path.slice(1) : path;
  return isAbsolute(expanded) ? expanded : resolve(dirname(configPath), expanded);
}

function isHostOrNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (bits === undefined) return family !== 0 || /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(text);
  return family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw wrong(path, `cannot be read: ${messageOf(error)}`);
  }
}

function wrong(path: string, what: string): RuntimeError {
  return new RuntimeError(
    'invalid',
    `The file ${path} ${what}`,
    'Fix it, or set AGENT_RUNTIME_CONFIG to another file.',
  );
}
