import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../src/base/log.js';
import { createJobStore } from '../../../src/core/jobs/job-store.js';
import type { RunnerRow } from '../../../src/core/jobs/runners.js';
import { openDatabase } from '../../../src/store/sqlite/open.js';
import { holdLock } from '../../runner/fixtures/hold-lock.js';
import { isOnPostgres } from '../../support/postgres.js';
import { refuseWrites } from '../../support/refuse-writes.js';
import { tempDir } from '../../support/temp-dir.js';
import { completed, keyOf, pidOf, type Queue, session, testQueue } from './queue.js';

/** The runner of a job is found in this state by whoever looks. */
async function set(queue: Queue, runnerId: string | null, state: 'alive' | 'dead' | 'unknown'): Promise<void> {
  queue.liveness.set(await pidOf(queue, runnerId ?? ''), state);
}

describe('a runner whose process is gone', () => {
  it('gives its job back at once, with the reason kept', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await set(queue, job.runner_id, 'dead');
    expect(await queue.rescue()).toEqual([
      { runnerId: job.runner_id, jobId: job.id, reason: expect.stringMatching(/process \d+ is gone/) },
    ]);
    expect(await queue.row(job.id)).toMatchObject({ status: 'pending', error_code: 'runner_lost', crashes: 1 });
    expect((await queue.runnerRow(job.runner_id ?? '')).state).toBe('lost');
    expect(queue.killed).toEqual([job.runner_id]);
  });

  it('gives back a job that it had claimed and not begun as if it had not been claimed', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await set(queue, job.runner_id, 'dead');
    queue.unbegun.add(keyOf(job).token);
    queue.clock.pass(5_000);
    await queue.rescue();
    const given = await queue.row(job.id);
    expect(given).toMatchObject({ status: 'pending', tries: 0, crashes: 0, run_at: job.run_at, lane: job.lane });
    expect(await queue.take(await queue.runner())).toMatchObject({ id: job.id, tries: 1 });
  });

  it('is believed to have begun its jobs when its host has been started anew since', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await set(queue, job.runner_id, 'dead');
    queue.unbegun.add(keyOf(job).token);
    queue.clock.reboot();
    await queue.rescue();
    expect(await queue.row(job.id)).toMatchObject({ status: 'pending', tries: 1, crashes: 1 });
  });

  it('is written off once, however many look at the same time', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await set(queue, job.runner_id, 'dead');
    const rescues = await Promise.all(Array.from({ length: 10 }, () => queue.rescue()));
    expect(rescues.flat()).toHaveLength(1);
    expect(await queue.row(job.id)).toMatchObject({ crashes: 1, tries: 1 });
    expect(await queue.events(job.runner_id ?? '')).toEqual(['lost']);
  });

  it('leaves the outcome that it could not write, which is taken over as it is', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await set(queue, job.runner_id, 'dead');
    queue.spooled.set(keyOf(job).token, completed);
    await queue.rescue();
    expect(await queue.row(job.id)).toMatchObject({ status: 'completed', output: 'Done.', crashes: 0 });
    expect(queue.spooled.size).toBe(0);
  });

  it('keeps that outcome in its file until the database has it', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await set(queue, job.runner_id, 'dead');
    queue.spooled.set(keyOf(job).token, completed);
    const { db } = queue.runtime;
    const allow = await refuseWrites(db, { table: 'jobs' });
    await expect(queue.rescue()).rejects.toThrow('disk full');
    expect(queue.spooled.size).toBe(1);
    await allow();
    await queue.rescue();
    expect((await queue.row(job.id)).status).toBe('completed');
  });

  it('does not keep the others from being rescued when it cannot be', async () => {
    const queue = await testQueue();
    const stubborn = await queue.running();
    const other = await queue.running();
    for (const job of [stubborn, other]) await set(queue, job.runner_id, 'dead');
    const { db } = queue.runtime;
    await refuseWrites(db, { table: 'jobs', when: `new.seq = ${stubborn.seq}` });
    await expect(queue.rescue()).rejects.toThrow('disk full');
    expect((await queue.row(other.id)).status).toBe('pending');
  });
});

describe('a runner that never came up', () => {
  it('loses its permit after 30 s, and the job is started again (R7)', async () => {
    const queue = await testQueue({ maxRunning: 1 });
    const { runnerId } = await queue.jobs.submit({ type: 'generic', payload: {} }, session);
    queue.clock.pass(29_000);
    expect(await queue.rescue()).toEqual([]);
    expect(await queue.jobs.permitRunner(session)).toBeUndefined();
    queue.clock.pass(2_000);
    expect(await queue.rescue()).toMatchObject([{ runnerId, reason: 'it never started' }]);
    expect(await queue.jobs.permitRunner(session)).toBeDefined();
  });

  it('and comes up as it is written off, keeps its job or leaves, but never both', async () => {
    for (let round = 0; round < 10; round++) {
      const queue = await testQueue();
      const { runnerId = '' } = await queue.jobs.submit({ type: 'generic', payload: {} }, session);
      queue.clock.pass(31_000);
      const [rescued, isRegistered] = await Promise.all([queue.rescue(), queue.jobs.registerRunner(runnerId)]);
      expect(rescued.length === 1).toBe(!isRegistered);
    }
  });
});

describe('a runner that lives', () => {
  it('is not rescued, however long its heart has not beaten and its job has waited in the queue (R4, R6)', async () => {
    const queue = await testQueue();
    await queue.submit();
    queue.clock.pass(2 * 3_600_000);
    const job = await queue.take(await queue.runner());
    expect(await queue.rescue()).toEqual([]);
    queue.clock.pass(1_000_000);
    expect(await queue.rescue()).toEqual([]);
    expect((await queue.row(job.id)).status).toBe('running');
  });

  it('is not rescued because someone set the clock two hours forward or back (R8)', async () => {
    for (const step of [2 * 3_600_000, -2 * 3_600_000]) {
      const queue = await testQueue();
      await queue.running();
      queue.clock.stepWallClock(step);
      expect(await queue.rescue()).toEqual([]);
    }
  });

  it('loses a job whose time is long over, is ended, and the job is tried again', async () => {
    const queue = await testQueue();
    const job = await queue.running({ timeoutSeconds: 60 });
    queue.clock.pass(89_000);
    expect(await queue.rescue()).toEqual([]);
    queue.clock.pass(2_000);
    expect(await queue.rescue()).toMatchObject([{ jobId: job.id, reason: expect.stringContaining('time was over') }]);
    expect(queue.killed).toEqual([job.runner_id]);
    expect(await queue.row(job.id)).toMatchObject({ status: 'pending', error_code: 'timeout', crashes: 0, tries: 1 });
  });

  it('that finishes its overdue job at that instant has finished it, or is ended, but never both', async () => {
    for (let round = 0; round < 10; round++) {
      const queue = await testQueue();
      const job = await queue.running({ timeoutSeconds: 60 });
      queue.clock.pass(100_000);
      const next = await queue.submit();
      const finishing = async () => {
        const row = await queue.finish(job, completed);
        return row && queue.take(job.runner_id ?? '');
      };
      const both = round % 2 === 0 ? [queue.rescue(), finishing()] : [finishing(), queue.rescue()].reverse();
      const [rescued, taken] = (await Promise.all(both)) as [unknown[], { id: string } | undefined];
      expect(taken?.id).toBe(rescued.length === 0 ? next.id : undefined);
      expect(queue.killed).toHaveLength(rescued.length);
      expect((await queue.row(job.id)).status).toBe(rescued.length === 0 ? 'completed' : 'pending');
    }
  });
});

// The server itself ends a transaction whose process has stopped.
it.skipIf(isOnPostgres)(
  'a process that was stopped with the write lock in its hand is ended all the same when its time is over',
  async () => {
    const queue = await testQueue();
    const { db } = queue.runtime;
    const job = await queue.running({ timeoutSeconds: 60 });
    queue.clock.pass(100_000);
    const impatient = await openDatabase({
      file: db.location,
      backupDir: tempDir(),
      log: silentLog,
      now: queue.clock.now,
      lockDeadlineMs: 100,
    });
    onTestFinished(() => impatient.close());
    const release = await holdLock(queue.runtime);
    const jobs = createJobStore({ ...queue.needs, db: impatient });
    const ended: string[] = [];
    const endRunner = (row: RunnerRow) => {
      ended.push(row.id);
      release();
    };
    const rescued = await jobs.rescue({ readSpooled: () => undefined, forgetSpooled: () => {}, endRunner });
    expect(rescued).toMatchObject([{ jobId: job.id }]);
    expect(new Set(ended)).toEqual(new Set([job.runner_id]));
    expect(await queue.row(job.id)).toMatchObject({ status: 'pending', error_code: 'timeout' });
  },
);

it('a runner that rescues others skips itself', async () => {
  const queue = await testQueue();
  const job = await queue.running({ timeoutSeconds: 60 });
  queue.clock.pass(1_000_000);
  const pid = await pidOf(queue, job.runner_id ?? '');
  const { processes } = queue.needs;
  const self = { ...processes.self(), pid, startTime: `${pid}` };
  const own = createJobStore({ ...queue.needs, processes: { ...processes, self: () => self } });
  const helpers = { readSpooled: () => undefined, forgetSpooled: () => {}, endRunner: () => {} };
  expect(await own.rescue(helpers)).toEqual([]);
  expect(await queue.rescue()).toHaveLength(1);
});

describe('a runner in another container or on another host', () => {
  it('is given up only after a minute without a heartbeat', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await set(queue, job.runner_id, 'unknown');
    queue.clock.pass(59_000);
    expect(await queue.rescue()).toEqual([]);
    await queue.jobs.heartbeat(job.runner_id ?? '');
    queue.clock.pass(59_000);
    expect(await queue.rescue()).toEqual([]);
    queue.clock.pass(2_000);
    expect(await queue.rescue()).toHaveLength(1);
    expect(await queue.finish(job, completed)).toBeUndefined();
  });
});
