import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/base/log.js';
import { keepOutcome } from '../../src/runner/keep-outcome.js';
import { createSpool } from '../../src/runner/spool.js';
import { completed, keyOf, type Queue, testQueue } from '../core/jobs/queue.js';
import { eventually } from './fixtures/poll.js';

async function blockedQueue() {
  const queue = await testQueue();
  const job = await queue.running();
  const { db, config } = queue.runtime;
  const spool = createSpool(config.dataDir);
  const file = join(config.dataDir, 'spool', `${job.id}.json`);
  await db.run("create trigger full before update on jobs begin select raise(abort, 'disk full'); end");
  return { queue, job, spool, file, unblock: () => db.run('drop trigger full') };
}

const needsOf = (queue: Queue, spool: ReturnType<typeof createSpool>) => ({ jobs: queue.jobs, spool, log: silentLog });

describe('an outcome that the database does not take', () => {
  it('is in a file from the first failure on, and in the database once it can be', async () => {
    const { queue, job, spool, file, unblock } = await blockedQueue();
    const kept = keepOutcome(keyOf(job), completed, needsOf(queue, spool));
    await eventually('it is in a file', () => existsSync(file));
    await unblock();
    await kept;
    expect((await queue.row(job.id)).status).toBe('completed');
    expect(existsSync(file)).toBe(false);
  });

  it('stays in its file when the patience is over, for whoever finds the runner gone', async () => {
    const { queue, job, spool, file, unblock } = await blockedQueue();
    const impatient = { ...needsOf(queue, spool), patienceMs: 0 };
    await expect(keepOutcome(keyOf(job), completed, impatient)).rejects.toThrow('disk full');
    expect(existsSync(file)).toBe(true);
    await unblock();
    queue.liveness.set((await queue.runnerRow(job.runner_id ?? '')).pid ?? 0, 'dead');
    await queue.jobs.rescue({ readSpooled: spool.read, forgetSpooled: spool.forget, endRunner: () => {} });
    expect(await queue.row(job.id)).toMatchObject({ status: 'completed', output: 'Done.' });
    expect(existsSync(file)).toBe(false);
  });
});

it('an outcome that the database takes leaves no file', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  const spool = createSpool(queue.runtime.config.dataDir);
  await keepOutcome(keyOf(job), completed, needsOf(queue, spool));
  expect((await queue.row(job.id)).status).toBe('completed');
  expect(existsSync(join(queue.runtime.config.dataDir, 'spool'))).toBe(false);
});
