import { z } from 'zod';
import { isObject } from './json.js';
import { nearest } from './text.js';

/** A server's name has no dot: it stands before the dot in `server.tool`. */
const serverName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'a name of letters, digits, - and _, 64 characters at most');

/** Milliseconds, as `timeout` is in the files of MCP clients. */
const milliseconds = (least: number, most: number) => z.int().min(least).max(most);

const toolNames = z.array(z.string().min(1)).max(1_000);

/** Which of a server's tools stand among our own. */
const exposure = z.union([
  z.boolean(),
  toolNames,
  z.strictObject({
    allow: toolNames.optional(),
    deny: toolNames.optional(),
    /** Other names for some of them, each in place of what follows `server__`. */
    rename: z
      .record(
        z.string().min(1),
        z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be a name of letters, digits, - and _, 64 characters at most'),
      )
      .optional(),
  }),
]);

const pooling = {
  /** Kept in the file, and neither started nor called. */
  disabled: z.boolean().optional(),
  /** How many instances are kept. */
  instances: z.int().min(1).max(8).optional(),
  /** Servers that are asked for a tool of the same name when this one has no answer. */
  backups: z.array(serverName).max(8).optional(),
  /** How long one call may take. */
  timeout: milliseconds(100, 50_000).optional(),
  /** How long callers wait for its start. It may go on for a minute, for a server that is installed by its first start. */
  startTimeout: milliseconds(100, 300_000).optional(),
  health: z
    .union([
      z.literal(false),
      z.strictObject({
        interval: milliseconds(100, 3_600_000).optional(),
        timeout: milliseconds(50, 30_000).optional(),
      }),
    ])
    .optional(),
  /** Instances are ended when they have not been used for this long. */
  idle: milliseconds(1_000, 86_400_000).optional(),
  /** Tools whose answers are cached, with the seconds that they stay valid. */
  cache: z.record(z.string().min(1), z.int().min(1).max(2_592_000)).optional(),
  /** Tools whose calls may be retried, whatever their annotations say. */
  retrySafe: toolNames.optional(),
  /** Its tools that are tools of this server too, as `server__tool`: all of them, those named, or none. */
  expose: exposure.optional(),
  /** Its resources are resources of this server too, as `server://NAME/URI`. */
  resources: z.boolean().optional(),
  /** Its prompts are prompts of this server too, as `server__prompt`. */
  prompts: z.boolean().optional(),
};

const stdioServer = z.strictObject({
  type: z.literal('stdio').optional(),
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  cwd: z.string().min(1).optional(),
  /** All sessions use the same processes, which the keeper has. Only for servers that keep nothing of a session's own. */
  shared: z.boolean().optional(),
  ...pooling,
});

const httpServer = z.strictObject({
  /** `sse` is the transport of servers from before Streamable HTTP. */
  type: z.enum(['http', 'streamable-http', 'sse']).optional(),
  url: z.string().min(1),
  headers: z.record(z.string(), z.string()).optional(),
  /** Only for a login that needs it: one to an authorization server that registers no clients by itself. */
  oauth: z
    .strictObject({
      clientId: z.string().min(1).optional(),
      clientSecret: z.string().min(1).optional(),
      /** The client is registered with the redirect address `http://localhost:PORT/callback`. */
      callbackPort: z.int().min(1).max(65_535).optional(),
      /** Separated by blanks; what the server asks for unless given. */
      scopes: z.string().min(1).optional(),
    })
    .refine(({ clientId, clientSecret }) => clientId !== undefined || clientSecret === undefined, {
      message: 'has a clientSecret without its clientId',
    })
    .optional(),
  shared: z
    .literal(false, { error: 'only a server that is started by a command has processes that sessions can share' })
    .optional(),
  ...pooling,
});

export type StdioServerSettings = z.output<typeof stdioServer>;
export type HttpServerSettings = z.output<typeof httpServer>;
export type ServerSettings = StdioServerSettings | HttpServerSettings;

/** How long callers wait for a server's start unless its entry has `startTimeout`. */
export const usualStartMs = 10_000;

/** Whether all sessions use the same processes of it. */
export function isShared(settings: ServerSettings): settings is StdioServerSettings {
  return 'command' in settings && settings.shared === true;
}

/** Whether any of a server's tools are to stand among our own. */
export const exposesTools = ({ expose }: ServerSettings): boolean => expose !== undefined && expose !== false;

/** Whether a client of ours sees anything of a server among our own. */
export const showsAny = (settings: ServerSettings): boolean =>
  exposesTools(settings) || settings.resources === true || settings.prompts === true;

/** The forms that an entry of `mcpServers` may have. */
export const formsOfServer = [stdioServer, httpServer] as const;

const knownKeys = [...new Set(formsOfServer.flatMap(({ shape }) => Object.keys(shape)))];

/** The keys of an entry that mean something to other clients alone, such as `alwaysAllow`. They are passed over. */
export function ignoredKeys(entry: unknown): string[] {
  if (!isObject(entry)) return [];
  // What is nearly one of our own keys is a mistake.
  return Object.keys(entry).filter((key) => !knownKeys.includes(key) && nearest(key, knownKeys).length === 0);
}

/** An entry in our own terms: without the keys of others, and with their `enabled` as `disabled`. */
function inOwnTerms(entry: unknown): unknown {
  if (!isObject(entry)) return entry;
  const { enabled, ...rest } = entry;
  const ignored = ignoredKeys(rest);
  const own = Object.fromEntries(Object.entries(rest).filter(([key]) => !ignored.includes(key)));
  return enabled === false ? { ...own, disabled: true } : own;
}

/** One entry of `mcpServers`, checked without the others. */
export const serverSettings = z.unknown().transform((given, context): ServerSettings => {
  const entry = inOwnTerms(given);
  const isHttp = isObject(entry) && ('url' in entry || ('type' in entry && entry.type !== 'stdio'));
  const parsed = (isHttp ? httpServer : stdioServer).safeParse(entry);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues)
    context.issues.push({ ...issue, input: entry } as (typeof context.issues)[number]);
  return z.NEVER;
});

/** The config file's `mcpServers`: the form of `.mcp.json`, and how each is pooled. */
export const serversSchema = z.record(serverName, serverSettings).superRefine((servers, context) => {
  for (const [name, server] of Object.entries(servers)) {
    // An entry that did not parse has no backups to check.
    for (const backup of server?.backups ?? []) {
      const problem =
        backup === name ? 'is the server itself' : backup in servers ? undefined : 'is not a server of this file';
      if (problem)
        context.addIssue({ code: 'custom', path: [name, 'backups'], message: `${JSON.stringify(backup)} ${problem}` });
    }
    const why = 'command' in (server ?? {}) ? startsThisRuntime(server as StdioServerSettings) : undefined;
    if (why)
      context.addIssue({ code: 'custom', path: [name], message: `${JSON.stringify(why)} is this runtime itself` });
  }
});

/** Where an agent prefers to get its tools. */
export const toolPreferencesSchema = z.record(
  z.string().min(1).max(200),
  z.strictObject({
    /** Tools that it takes from this program rather than from a server. */
    native_tools: z.array(z.string().min(1)).optional(),
    /** Servers, the preferred one first. */
    servers: z.array(serverName).optional(),
  }),
);

export type ToolPreferences = z.output<typeof toolPreferencesSchema>;

/** This program, by its command name in any directory, or by a file of its package. */
const ownCommand = /(^|[/\\])agent-runtime(-mcp)?(\.(cmd|exe|ps1))?$/;
const ownFile = /[/\\]agent-runtime-mcp[/\\]dist[/\\]\w+\.js$/;
/** This package, as an argument of a package runner. */
const ownPackage = /^agent-runtime(-mcp)?(@.*)?$/;
const packageRunner = /(^|[/\\])(npx|npm|pnpm|pnpx|yarn|bunx|bun|cmd)(\.(cmd|exe))?$/;

/** The word of a command line that would start this program itself; undefined if there is none. */
export function startsThisRuntime({
  command,
  args = [],
}: Pick<StdioServerSettings, 'command' | 'args'>): string | undefined {
  if (ownCommand.test(command)) return command;
  const isPackage = packageRunner.test(command);
  return args.find((word) => ownFile.test(word) || (isPackage && ownPackage.test(word)));
}

/** A server of the config file that is not used: switched off there, or left out because its entry is wrong. */
export interface UnusedServer {
  server: string;
  /** What is wrong with its entry; undefined if it is switched off. */
  problem: string | undefined;
}

/** The servers of the config file. */
export interface ConfiguredServers {
  used: Readonly<Record<string, ServerSettings>>;
  unused: readonly UnusedServer[];
}
