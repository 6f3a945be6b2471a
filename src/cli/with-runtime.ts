import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../base/config.js';
import { RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { settingOrDefault } from '../base/settings.js';

import type { Actor } from '../core/actor.js';
import { nameSession } from '../core/coordination/sessions.js';
import type { Runtime } from '../runtime.js';
import { type GlobalFlags, logOf } from './global-flags.js';
import { readSettings } from './read-settings.js';

/** The configuration of one command, and its log. */
export interface Setting {
  config: Config;
  log: Log;
}

export function settingOf(flags: GlobalFlags): Setting {
  const config = readSettings(flags.settings);
  return { config, log: logOf(flags, config) };
}

/**
 * As `settingOf`, for a command that only reads: a database that was named and does not exist is probably a misspelling,
 * so it is not created. Throws `not_found`.
 */
export function readSettingOf(flags: GlobalFlags): Setting {
  const setting = settingOf(flags);
  const { dbPath, dbUrl, home } = setting.config;
  const usual = settingOrDefault({}, 'AGENT_RUNTIME_DB_PATH').replace(/^~/, home);
  if (dbUrl !== undefined || dbPath === usual || existsSync(dbPath)) return setting;
  throw new RuntimeError(
    'not_found',
    `There is no database ${dbPath}.`,
    `Correct --db or AGENT_RUNTIME_DB_PATH; without them it is ${usual}.`,
  );
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

/** Whether there is a database: a file, or one on a PostgreSQL server. */
export function hasDatabase({ dbUrl, dbPath }: Config): boolean {
  return dbUrl !== undefined || existsSync(dbPath);
}

/**
 * As `withRuntime`, for what is empty where there is no database: none is left behind.
 */
export async function withStored<Result>(
  { config, log }: Setting,
  body: (runtime: Runtime) => Promise<Result>,
): Promise<Result> {
  if (hasDatabase(config)) return withRuntime({ config, log }, body);
  const directory = mkdtempSync(join(tmpdir(), 'agent-runtime-'));
  try {
    return await withRuntime({ config: { ...config, dbPath: join(directory, 'empty.db') }, log }, body);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * The actor of a command. In a client's shell it is the client's session, so that the session can finish what the command
 * has claimed, and the other way round. Elsewhere it has no session, and its claims last as long as their lease.
 */
export function callerOf({ clientSessionId, project }: Config): Actor {
  return clientSessionId ? nameSession({ clientSessionId, project }) : { holder: null, project };
}
