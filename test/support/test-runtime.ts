import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Clock } from '../../src/base/clock.js';
import type { Config } from '../../src/base/config.js';
import { silentLog } from '../../src/base/log.js';
import { readConfig } from '../../src/config.js';
import { storedJobCounts } from '../../src/core/jobs/job-counts.js';
import type { Processes } from '../../src/core/ports.js';
import { storedTaskCounts } from '../../src/core/tasks/task-counts.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { findWrongCounts, type WrongCount } from '../../src/store/check-counts.js';
import type { Database } from '../../src/store/sql.js';
import { runnerEntry } from './paths.js';
import { databaseEnv } from './postgres.js';
import { tempDir } from './temp-dir.js';

export interface TestRuntimeOptions {
  /** The home, for a second runtime on the same database; a new one unless given. */
  home?: string;
  env?: Record<string, string>;
  clock?: Clock;
  processes?: Processes;
}

/** Settings of a user whose home is `home` and who has set nothing but `env`. */
export function testConfig(home: string, env: Record<string, string> = {}): Config {
  return readConfig({}, { HOME: home, PATH: '/usr/bin:/bin', ...env });
}

/** A runtime on a real database file in a home of its own, closed after the test. Whatever it did, its counts are those of the rows. */
export async function testRuntime(options: TestRuntimeOptions = {}): Promise<Runtime & { home: string }> {
  const home = options.home ?? tempDir();
  const runtime = await openRuntime({
    config: testConfig(home, {
      AGENT_RUNTIME_DATA_DIR: join(home, 'data'),
      ...(await databaseEnv(home)),
      ...options.env,
    }),
    log: silentLog,
    runnerEntry,
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.processes ? { processes: options.processes } : {}),
  });
  onTestFinished(async () => {
    const wrong = await wrongCounts(runtime.db);
    await runtime.close();
    expect(wrong, 'stored counts differ from the rows').toEqual([]);
  });
  return Object.assign(runtime, { home });
}

async function wrongCounts(db: Database): Promise<WrongCount[]> {
  try {
    return [...(await findWrongCounts(db, storedTaskCounts)), ...(await findWrongCounts(db, storedJobCounts))];
  } catch {
    // The test has closed, deleted or damaged it.
    return [];
  }
}
