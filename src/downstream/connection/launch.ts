import { dirname } from 'node:path';
import { basicVariables, pickVariables } from '../../base/child-environment.js';
import type { Config } from '../../base/config.js';
import { resolvePath } from '../../base/config-file.js';
import { type ServerSettings, startsThisRuntime } from '../../base/server-settings.js';
import { CallFailure } from './call-failure.js';

/** How to start or reach a server, with nothing left to fill in. */
export type Launch =
  | {
      kind: 'stdio';
      command: string;
      args: readonly string[];
      env: Readonly<Record<string, string>>;
      cwd: string | undefined;
    }
  | { kind: 'http'; url: URL; headers: Readonly<Record<string, string>> };

/** The variable by which a tool server, and all that it starts, can be told from other processes. */
export const toolServerMark = 'AGENT_RUNTIME_TOOL_SERVER';

/**
 * A server's settings with every `${NAME}` and `${NAME:-default}` filled in from the environment. Throws CallFailure
 * `not_started`, naming the variable that is not set, or that the server would be this very program.
 */
export function prepareLaunch(settings: ServerSettings, config: Config, mark: string): Launch {
  if (config.env[toolServerMark]) {
    throw new CallFailure(
      'not_started',
      `this runtime is itself a tool server of another one (${toolServerMark} is set), so it starts none`,
    );
  }
  const fill = (text: string) => fillIn(text, config.env);
  const fillAll = (texts: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]));
  if (!('command' in settings))
    return { kind: 'http', url: toUrl(fill(settings.url)), headers: fillAll(settings.headers) };

  const command = fill(settings.command);
  const args = (settings.args ?? []).map(fill);
  if (startsThisRuntime({ command, args })) {
    throw new CallFailure('not_started', 'its command is this runtime itself, which is not a server of its own');
  }
  const env = pickVariables(config.env, basicVariables);
  // So that `npx` and `node` are found by a server whose client has stripped the path, as apps do.
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
  throw new CallFailure('not_started', 'its url is not one of http or https');
}

function fillIn(text: string, env: Config['env']): string {
  return text.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback: string | undefined) => {
    const value = env[name] || fallback;
    if (value !== undefined) return value;
    throw new CallFailure('not_started', `the variable ${name} that its settings name is not set`);
  });
}
