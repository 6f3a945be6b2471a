import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { basicVariables, pickVariables } from '../../base/child-environment.js';
import type { Config } from '../../base/config.js';
import { resolvePath } from '../../base/config-file.js';
import {
  type HttpServerSettings,
  type ServerSettings,
  type StdioServerSettings,
  startsThisRuntime,
} from '../../base/server-settings.js';
import { CallFailure } from './call-failure.js';
import type { KeeperAccess, Opening } from './keeper-wire.js';

/** How to start or reach a server, all placeholders filled in. */
export type Launch =
  | {
      kind: 'stdio';
      command: string;
      args: readonly string[];
      env: Readonly<Record<string, string>>;
      cwd: string | undefined;
    }
  | {
      kind: 'http';
      url: URL;
      headers: Readonly<Record<string, string>>;
      /** Whether it speaks HTTP with server-sent events, the transport before Streamable HTTP. */
      isSse: boolean;
      oauth: NonNullable<HttpServerSettings['oauth']>;
    };

export type StdioLaunch = Extract<Launch, { kind: 'stdio' }>;

/** An instance that the keeper starts, or has started for another session. */
export interface SharedLaunch {
  kind: 'shared';
  keeper: KeeperAccess;
  opening: Opening;
}

/** Whether a server lets in whoever has logged in. Where the config file gives it a header for that, there is no login. */
export const mayNeedLogin = (launch: Launch | SharedLaunch): launch is Extract<Launch, { kind: 'http' }> =>
  launch.kind === 'http' && !Object.keys(launch.headers).some((name) => name.toLowerCase() === 'authorization');

/** The variable that marks a tool server and every process that it starts. */
export const toolServerMark = 'AGENT_RUNTIME_TOOL_SERVER';

/**
 * A server's settings with every `${NAME}` and `${NAME:-default}` replaced from the environment. Throws CallFailure
 * `not_started` if a variable is not set, or if the server would be this runtime itself.
 */
export function prepareLaunch(settings: ServerSettings, config: Config, mark: string): Launch {
  if ('command' in settings) return prepareStdio(settings, config, mark);
  refuseNesting(config);
  const { fill, fillAll } = fillers(config);
  const { url, headers, type, oauth = {} } = settings;
  const { callbackPort, ...texts } = oauth;
  return {
    kind: 'http',
    url: toUrl(fill(url)),
    headers: fillAll(headers),
    isSse: type === 'sse',
    oauth: { ...fillAll(texts as Record<string, string>), ...(callbackPort && { callbackPort }) },
  };
}

/** As `prepareLaunch`, for a server that is a process. */
export function prepareStdio(settings: StdioServerSettings, config: Config, mark: string): StdioLaunch {
  refuseNesting(config);
  const { fill, fillAll } = fillers(config);
  const command = fill(settings.command);
  const args = (settings.args ?? []).map(fill);
  if (startsThisRuntime({ command, args })) {
    throw new CallFailure('not_started', 'its command is this runtime itself, which cannot be its own tool server');
  }
  const env = pickVariables(config.env, basicVariables);
  // Desktop apps strip the path; `npx` and `node` must be found all the same.
  env.PATH ??= dirname(process.execPath);
  Object.assign(env, fillAll(settings.env), {
    [toolServerMark]: mark,
    AGENT_RUNTIME_DEPTH: String(config.depth + 1),
  });
  const cwd = settings.cwd === undefined ? undefined : resolvePath(fill(settings.cwd), config);
  return { kind: 'stdio', command, args, env, cwd };
}

/** What differs between sessions of one user. A server that depends on one of them names it in its `env`. */
const ofTerminal = [
  ...['PATH', 'TERM', 'SHELL', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'TEMP', 'TMP'],
  ...['LOGNAME', 'USER', 'USERNAME'],
];

/** Equal for sessions that would start an instance in the same way, with the same keys in its environment. */
export function shareKey(instance: string, { command, args, env, cwd }: StdioLaunch, own: StdioServerSettings): string {
  const named = Object.keys(own.env ?? {});
  const told = Object.entries(env).filter(([name]) => named.includes(name) || !ofTerminal.includes(name));
  const what = [instance, command, args, cwd, told.sort(([one], [other]) => (one < other ? -1 : 1))];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

function refuseNesting({ env }: Config): void {
  if (!env[toolServerMark]) return;
  throw new CallFailure(
    'not_started',
    `this runtime is a tool server of another runtime (${toolServerMark} is set), so it starts no servers`,
  );
}

function fillers({ env }: Config) {
  const fill = (text: string) => fillIn(text, env);
  const fillAll = (texts: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]));
  return { fill, fillAll };
}

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new CallFailure('not_started', 'its url is not an http or https address');
}

function fillIn(text: string, env: Config['env']): string {
  return text.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback: string | undefined) => {
    const value = env[name] || fallback;
    if (value !== undefined) return value;
    throw new CallFailure('not_started', `the variable ${name} in its settings is not set`);
  });
}
