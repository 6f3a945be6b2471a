import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { messageOf, RuntimeError } from './errors.js';
import { serversSchema, toolPreferencesSchema } from './server-settings.js';
import { type ProviderSection, type SettingName, settingNamed } from './settings.js';

const allowedCommand = z.strictObject({
  program: z.string().min(1),
  args: z.array(z.string()).optional(),
  allowArgs: z.union([z.boolean(), z.array(z.string().refine(isPattern, 'is not a regular expression'))]).optional(),
  cwd: z.string().optional(),
  env: z.array(z.string()).optional(),
  timeoutSeconds: z.int().min(1).max(86_400).optional(),
  maxOutputBytes: z.int().min(1).max(100_000_000).optional(),
});

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
  return z.strictObject({
    model: z.string().optional(),
    secretsFile: z.string().optional(),
    limits: z
      .strictObject({
        workerSlots: limitOf('AGENT_RUNTIME_WORKER_SLOTS').optional(),
        maxRunningJobs: limitOf('AGENT_RUNTIME_MAX_RUNNING_JOBS').optional(),
        maxModelCalls: limitOf('AGENT_RUNTIME_MAX_MODEL_CALLS').optional(),
        callsPerRunner: z.int().min(1).max(64).optional(),
        runnerHeapMb: z.int().min(64).max(65_536).optional(),
        logDays: z.int().min(1).max(3_650).optional(),
      })
      .optional(),
    providers: perProvider(({ settings }) => settings).optional(),
    agents: z.array(z.string().min(1)).max(100).optional(),
    commands: z.record(z.string().regex(/^[\w.-]+$/), allowedCommand).optional(),
    models: z.strictObject({ aliases: modelTable.optional(), retired: modelTable.optional() }).optional(),
    mcpServers: serversSchema.optional(),
    toolPreferences: toolPreferencesSchema.optional(),
  });
}

/** The same range as that of the variable. */
const limitOf = (name: SettingName) =>
  z
    .int()
    .min(1)
    .max(settingNamed(name).atMost ?? Number.MAX_SAFE_INTEGER);

export type ConfigFile = z.output<ReturnType<typeof configFileSchema>>;

/** The config file, empty if there is none. Throws `invalid`, naming the file and the key or line that is wrong. */
export function readConfigFile(path: string, providers: readonly ProviderSection[]): ConfigFile {
  const text = readIfThere(path);
  if (text === undefined || text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(path, `is not JSON: ${messageOf(error)}`);
  }
  const parsed = configFileSchema(providers).safeParse(value);
  if (!parsed.success) throw wrong(path, `is not as it should be.\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
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
