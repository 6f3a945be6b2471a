import { describe, expect, it } from 'vitest';
import { readSummary } from '../../../src/core/metrics/summary.js';
import { isOnPostgres } from '../../support/postgres.js';
import { readsOf } from '../../support/reads-of.js';
import { completed, failing, type Queue, session, testQueue } from '../jobs/queue.js';
import { slots } from './samples.js';

const minute = 60_000;
const hour = 60 * minute;

const summaryOf = (queue: Queue, windowMs = hour) =>
  readSummary(queue.runtime.db, slots, { windowMs, now: queue.clock.now() });
const generic = async (queue: Queue, windowMs = hour) =>
  (await summaryOf(queue, windowMs)).types.find(({ type }) => type === 'generic');

/** A job that takes some milliseconds. */
async function work(queue: Queue, ms: number, outcome = completed): Promise<void> {
  const job = await queue.running();
  queue.clock.pass(ms);
  await queue.finish(job, outcome);
  await queue.runtime.db.run("update runners set state = 'exited', ended_at = 0");
}

describe('the figures of a window', () => {
  it('are rates, times, and the error rate without what was cancelled', async () => {
    const queue = await testQueue();
    for (let job = 1; job <= 20; job++) await work(queue, job * 1_000);
    for (let job = 0; job < 5; job++) await work(queue, 1_000, failing(false));
    const cancelled = await queue.submit();
    await queue.jobs.cancel(cancelled.id, session);
    expect(await generic(queue)).toMatchObject({
      submitted: 26,
      completed: 20,
      failed: 5,
      cancelled: 1,
      errorRate: 0.2,
      averageSeconds: (210 + 5) / 25,
      // Nearest rank: the 24th of 25.
      p95Seconds: 19,
    });
    const { errors } = await summaryOf(queue);
    expect(errors).toEqual([{ type: 'generic', code: 'auth', count: 5 }]);
  });

  it('hold what happened after the beginning, and what happens now', async () => {
    const queue = await testQueue();
    await work(queue, 0);
    expect(await generic(queue)).toMatchObject({ submitted: 1, completed: 1 });
    queue.clock.pass(hour - 1);
    expect(await generic(queue)).toMatchObject({ submitted: 1, completed: 1 });
    queue.clock.pass(1);
    expect(await generic(queue)).toBeUndefined();
    expect(await generic(queue, hour + 1)).toMatchObject({ submitted: 1, completed: 1 });
  });

  it('leave out what lies ahead when the clock was set back, and have it again when its time comes', async () => {
    const queue = await testQueue();
    await work(queue, 5_000);
    queue.clock.stepWallClock(-10 * minute);
    expect(await generic(queue)).toBeUndefined();
    await queue.submit();
    expect(await generic(queue)).toMatchObject({ submitted: 1, completed: 0, oldestQueuedSeconds: 0 });
    queue.clock.pass(11 * minute);
    expect(await generic(queue)).toMatchObject({ submitted: 2, completed: 1 });
  });

  it('count a try that failed before the job completed, in its times and errors but not in the error rate', async () => {
    const queue = await testQueue();
    await work(queue, 4_000, failing(true));
    queue.clock.pass(minute);
    const again = await queue.take(await queue.runner());
    queue.clock.pass(2_000);
    await queue.finish(again, completed);
    expect(await generic(queue)).toMatchObject({ completed: 1, failed: 0, errorRate: 0, averageSeconds: 3 });
    expect((await summaryOf(queue)).errors).toEqual([{ type: 'generic', code: 'overloaded', count: 1 }]);
  });

  it('say since when the oldest job waits, from when it was due', async () => {
    const queue = await testQueue();
    await queue.submit({ runAt: queue.clock.now() + 30_000 });
    queue.clock.pass(10_000);
    expect(await generic(queue)).toMatchObject({ queued: 1, oldestQueuedSeconds: 0 });
    queue.clock.pass(50_000);
    expect(await generic(queue)).toMatchObject({ queued: 1, oldestQueuedSeconds: 30 });
  });

  it('of an empty runtime are none, and no division by zero', async () => {
    const queue = await testQueue();
    const summary = await summaryOf(queue);
    expect(summary).toMatchObject({ types: [], errors: [], averageSeconds: null });
    expect(summary.agents).toEqual([{ agent: 'generic', slots: 4, busy: 0, utilization: 0 }]);
  });
});

describe('how busy an agent is', () => {
  it('is its working time over its slots and the window, of which only the part inside counts', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    queue.clock.pass(hour / 2);
    // One of four slots, for half of the window, and still at it.
    expect((await summaryOf(queue)).agents[0]).toMatchObject({ busy: 1, utilization: 1 / 8 });
    await queue.finish(job, completed);
    queue.clock.pass((3 * hour) / 4);
    // Only the last quarter of its work lies in the window.
    expect((await summaryOf(queue)).agents[0]).toMatchObject({ busy: 0, utilization: 1 / 16 });
    queue.clock.pass(hour);
    expect((await summaryOf(queue)).agents[0]?.utilization).toBe(0);
  });

  it('is never more than all of it, nor less than nothing', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    queue.clock.stepWallClock(-2 * hour);
    expect((await summaryOf(queue)).agents[0]?.utilization).toBe(0);
    queue.clock.stepWallClock(100 * hour);
    await queue.finish(job, completed);
    const crowded = { windowMs: minute, now: queue.clock.now() };
    const { agents } = await readSummary(queue.runtime.db, new Map([['generic', 1]]), crowded);
    expect(agents[0]?.utilization).toBeLessThanOrEqual(1);
  });
});

it('totals go on counting what is no longer in any window', async () => {
  const queue = await testQueue();
  await work(queue, 1_000);
  queue.clock.pass(30 * 24 * hour);
  expect((await summaryOf(queue)).totals).toMatchObject({ jobsSubmitted: 1, jobsCompleted: 1, jobsFailed: 0 });
});

it.skipIf(isOnPostgres)('windows are read by indexes, not by looking at every job there ever was', async () => {
  const queue = await testQueue();
  const reads = await readsOf(queue.runtime.db, /^(jobs|j|job_attempts|a)$/, () => summaryOf(queue));
  const [byEnd, running] = ['SEARCH jobs USING INDEX jobs_by_end', 'SEARCH jobs USING INDEX jobs_by_status (status=?)'];
  const attempts = [
    `${byEnd} (completed_at>?)`,
    running,
    'SEARCH jobs USING COVERING INDEX jobs_tried (status=? AND attempt>?)',
    'SEARCH a USING PRIMARY KEY (job_id=?)',
  ];
  const underWay = [
    'SEARCH j USING INDEX jobs_by_status (status=?)',
    'SEARCH a USING PRIMARY KEY (job_id=? AND attempt=?)',
  ];
  expect(reads).toEqual([
    ['SEARCH jobs USING COVERING INDEX jobs_by_creation (created_at>? AND created_at<?)'],
    [`${byEnd} (completed_at>? AND completed_at<?)`],
    // Those that could run, and the oldest of all.
    [
      'SEARCH jobs USING COVERING INDEX jobs_queued_since (type=?)',
      'SEARCH jobs USING INDEX jobs_queued_since (type=?)',
    ],
    // Once. Their times are ranked.
    [...attempts, 'USE TEMP B-TREE FOR ORDER BY', 'USE TEMP B-TREE FOR ORDER BY'],
    underWay,
    [...underWay, 'USE TEMP B-TREE FOR ORDER BY'],
  ]);
});
