import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/base/log.js';
import { openRuntime, type Runtime } from '../../src/runtime.js';
import { contextOf, runTool } from '../../src/tools/call/run-tool.js';
import { findTool } from '../../src/tools/index.js';
import { movingClock } from '../support/moving-clock.js';
import { runnerEntry } from '../support/paths.js';
import { tempDir } from '../support/temp-dir.js';
import { testConfig } from '../support/test-runtime.js';

// What is read of two boards is the same only at the same time.
const clock = movingClock();

/** Opens a runtime on a database of either engine for as long as `body` takes. */
export async function withBoard<Result>(
  env: Record<string, string>,
  body: (runtime: Runtime, call: (tool: string, input?: object) => Promise<unknown>) => Promise<Result>,
): Promise<Result> {
  const home = tempDir();
  const config = testConfig(home, { AGENT_RUNTIME_DATA_DIR: join(home, 'data'), ...env });
  const runtime = await openRuntime({ config, log: silentLog, runnerEntry, clock });
  const context = contextOf(runtime, { holder: null, project: '/home/ada' }, {});
  try {
    return await body(runtime, (tool, input = {}) => runTool(findTool(tool), input as never, context));
  } finally {
    runtime.close();
  }
}

/** A file with rows in many tables: letters of all kinds, ids that were deleted, tasks that refer to each other both ways. */
export async function boardToMove(): Promise<string> {
  const file = join(tempDir(), 'board.db');
  made ??= await makeBoard();
  writeFileSync(file, made);
  return file;
}

/** The bytes of the board, which is made once for a run. */
let made: Buffer | undefined;

async function makeBoard(): Promise<Buffer> {
  const file = join(tempDir(), 'board.db');
  await withBoard({ AGENT_RUNTIME_DB_PATH: file }, async (runtime, call) => {
    await call('create_goal', {
      name: 'Größe 🧭 \\ "quoted" \u2028',
      description: 'line\nline\ttab',
      token_budget: 1_000,
    });
    await call('create_tasks', {
      goal_id: 1,
      tasks: Array.from({ length: 300 }, (_, index) => ({
        title: `task ${index}`,
        key: `k${index}`,
        metadata: { index, deep: [{ half: index / 3 }] },
        ...(index > 290 ? { dependencies: [`k${index - 1}`] } : {}),
      })),
    });
    await call('create_task', { title: 'found by a later one' });
    await call('create_task', { title: 'finder', discovered_from: 1 });
    await runtime.db.run('update tasks set parent_id = 302 where id = 301');
    await call('create_task', { title: 'deleted' });
    await runtime.db.run('delete from tasks where id = 303');
    const { claim_token } = (await call('claim_next_task', { goal_id: 1, worker_id: 'ada' })) as {
      claim_token: number;
    };
    await call('update_task_status', { task_id: 'k0', status: 'completed', result: 'done', claim_token });
    await call('save_task_template', { name: 'release', tasks: [{ title: 'Tag {{version}}' }] });
    await call('send_message', { to: 'user', subject: 'Moving day', body: 'B' });
    await call('submit_job', { type: 'generic', payload: {}, run_at: '2099-01-01T00:00:00Z' });
    await runtime.db.run(
      "insert into job_artifacts (job_id, name, path, size_bytes, sha256, created_at) select id, 'a.bin', '/a', 4, '', 1 from jobs",
    );
    await runtime.db.run(
      "insert into artifact_chunks (job_id, name, seq, bytes) select id, 'a.bin', 0, x'00ff5c78' from jobs",
    );
    await call('create_relay_pipeline', { name: 'R', goal: 'G', preset: 'quick' });
    await call('circuit_breaker_record_failure', { agent_id: 'a', failure_type: 'timeout', error_message: 'slow' });
    await runtime.access.create(
      { name: 'laptop', isReadOnly: false, lifeMs: undefined },
      { holder: null, project: '' },
    );
  });
  return readFileSync(file);
}
