import type { Config } from '../base/config.js';
import type { Log } from '../base/log.js';
import { readConfig } from '../config.js';
import type { Actor } from '../core/actor.js';
import { nameSession } from '../core/coordination/sessions.js';
import type { Runtime } from '../runtime.js';
import { type GlobalFlags, logOf } from './global-flags.js';

export interface Setting {
  config: Config;
  log: Log;
}

/** The settings of one command, and where it logs. */
export function settingOf(flags: GlobalFlags): Setting {
  const config = readConfig(flags.settings);
  return { config, log: logOf(flags, config) };
}

/** Opens the runtime for as long as `body` takes. */
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
 * Who a command acts for. In a client's shell it is that client's own session, so that what one of them claims the
 * other may finish; in any other it is nobody, whose claims live by their lease alone.
 */
export function callerOf({ clientSessionId, project }: Config): Actor {
  return clientSessionId ? nameSession({ clientSessionId, project }) : { holder: null, project };
}
