import type { Config } from '../base/config.js';
import type { Log } from '../base/log.js';
import { readConfig } from '../config.js';
import type { Actor } from '../core/actor.js';
import { nameSession } from '../core/coordination/sessions.js';
import type { Runtime } from '../runtime.js';
import { type GlobalFlags, logOf } from './global-flags.js';

/** The configuration of one command, and its log. */
export interface Setting {
  config: Config;
  log: Log;
}

export function settingOf(flags: GlobalFlags): Setting {
  const config = readConfig(flags.settings);
  return { config, log: logOf(flags, config) };
}

/** Opens the runtime, runs `body` and closes the runtime. */
export async function withRuntime<Result>(
  setting: Setting,
  body: (runtime: Runtime) => Promise<Result>,
): Promise<Result> {
  const { openRuntime } = await import('../runtime.js');
  const runtime = await openRuntime(setting);
  try {
    return await body(runtime);
  } finally {
    runtime.close();
  }
}

/**
 * The actor of a command. In a client's shell it is the client's session, so that the session can finish what the command
 * has claimed, and the other way round. Elsewhere it has no session, and its claims last as long as their lease.
 */
export function callerOf({ clientSessionId, project }: Config): Actor {
  return clientSessionId ? nameSession({ clientSessionId, project }) : { holder: null, project };
}
