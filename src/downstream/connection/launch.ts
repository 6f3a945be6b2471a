import { dirname } from 'node:path';
import { basicVariables, pickVariables } from '../../base/child-environment.js';
import type { Config } from '../../base/config.js';
import { resolvePath } from '../../base/config-file.js';
import { type HttpServerSettings, type ServerSettings, startsThisRuntime } from '../../base/server-settings.js';
import { CallFailure } from './call-failure.js';

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

/** Whether a server lets in whoever has logged in. Where the config file gives it a header for that, there is no login. */
export const mayNeedLogin = (launch: Launch): launch is Extract<Launch, { kind: 'http' }> =>
  launch.kind === 'http' && !Object.keys(launch.headers).some((name) => name.toLowerCase() === 'authorization');

/** The variable that marks a tool server and every process that it starts. */
export const toolServerMark = 'AGENT_RUNTIME_TOOL_SERVER';

/**
 * A server's settings with every `${NAME}` and `${NAME:-default}` replaced from the environment. Throws CallFailure
 * `not_started` if a variable is not set, or if the server would be this runtime itself.
 */
export function prepareLaunch(settings: ServerSettings, config: Config, mark: string): Launch {
  if (config.env[toolServerMark]) {
    throw new CallFailure(
      'not_started',
      `this runtime is a tool server of another runtime (${toolServerMark} is set), so it starts no servers`,
    );
  }
  const fill = (text: string) => fillIn(text, config.env);
  const fillAll = (texts: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]));
  if (!('command' in settings)) {
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
