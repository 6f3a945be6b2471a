import { describe, expect, it } from 'vitest';
import type { JobRow } from '../../../src/core/jobs/job.js';
import { createJobStore } from '../../../src/core/jobs/job-store.js';
import type { Outcome } from '../../../src/core/jobs/outcome.js';
import { completed, keyOf, type Queue, session, testQueue } from './queue.js';

/** Jobs of one runner, all at work. */
async function carried(queue: Queue, count: number): Promise<{ runner: string; jobs: JobRow[] }> {
  for (let job = 0; job < count; job++) await queue.submit({ payload: { job } });
  const runner = await queue.runner();
  const jobs = await Promise.all(Array.from({ length: count }, () => queue.take(runner)));
  return { runner, jobs };
}

/** Writes outcomes in one turn, as a runner does that knows its jobs. */
async function endTogether(queue: Queue, runner: string, ends: readonly [JobRow, Outcome][]) {
  const store = createJobStore(queue.needs);
  return store.turn(
    runner,
    ends.map(([job, outcome]) => ({ key: keyOf(job), outcome, job })),
    0,
  );
}

/** All that is stored of a job but what names it. */
async function stored({ runtime: { db }, row }: Queue, { id }: JobRow) {
  const { seq, id: _, payload, ...rest } = await row(id);
  return {
    row: rest,
    attempts: await db.all(
      'select attempt, outcome, error_code, model, output, started_at, ended_at from job_attempts where job_id = ?',
      id,
    ),
    events: await db.all('select at, type, actor, project, data from events where subject_id = ? order by id', id),
  };
}

const said: Outcome = { kind: 'completed', result: { ok: true }, output: 'Done.', warnings: ['Mind this.'] };

describe('jobs that complete together', () => {
  it('are stored as one that completes alone, with their counters', async () => {
    const queue = await testQueue();
    const { runner, jobs } = await carried(queue, 3);
    const [alone, ...together] = jobs as [JobRow, JobRow, JobRow];
    queue.clock.pass(1_000);
    await queue.finish(alone, said);
    const { ended } = await endTogether(
      queue,
      runner,
      together.map((job) => [job, said]),
    );
    const expected = await stored(queue, alone);
    expect(expected.row).toMatchObject({ status: 'completed', output: 'Done.', progress: 1, runner_id: null });
    for (const [index, job] of together.entries()) {
      expect(await stored(queue, job)).toEqual(expected);
      const { is_guarded: _, ...handed } = ended[index] as JobRow;
      expect(handed).toEqual(await queue.row(job.id));
    }
    const counters = await queue.runtime.db.all<{ name: string; value: number }>(
      "select name, value from metric_counters where name in ('jobs_finished_total', 'jobs_started_total') order by name",
    );
    expect(counters.map(({ value }) => value)).toEqual([3, 3]);
  });

  it('release the jobs that wait for them, once all that they wait for are done', async () => {
    const queue = await testQueue();
    const { runner, jobs } = await carried(queue, 3);
    const [first, second, third] = jobs as [JobRow, JobRow, JobRow];
    const ofTwo = await queue.submit({ dependsOn: [first.id, second.id] });
    const ofAll = await queue.submit({ dependsOn: [first.id, second.id, third.id] });
    await endTogether(queue, runner, [
      [first, completed],
      [second, completed],
    ]);
    expect((await queue.row(ofTwo.id)).unfinished_dependencies).toBe(0);
    expect((await queue.row(ofAll.id)).unfinished_dependencies).toBe(1);
  });

  it('are kept beside one that another attempt has superseded, and beside those that fail', async () => {
    const queue = await testQueue();
    const { runner, jobs } = await carried(queue, 4);
    const [kept, lost, failed, cancelled] = jobs as [JobRow, JobRow, JobRow, JobRow];
    await queue.finish(lost, { kind: 'postponed', message: 'Later.', retryAfterMs: 0 });
    await createJobStore(queue.needs).cancel(cancelled.id, session);
    const { ended } = await endTogether(queue, runner, [
      [kept, completed],
      [lost, completed],
      [failed, { kind: 'failed', code: 'auth', message: 'Set another key.', isTransient: false }],
      [cancelled, { kind: 'cancelled' }],
    ]);
    expect(ended.map((row) => row?.status)).toEqual(['completed', undefined, 'failed', 'cancelled']);
    expect((await queue.row(lost.id)).status).toBe('pending');
    expect(await queue.events(lost.id)).not.toContain('completed');
  });

  it('are counted by the breaker of their type', async () => {
    const queue = await testQueue();
    const { runner, jobs } = await carried(queue, 2);
    const [first, second] = jobs as [JobRow, JobRow];
    const { db } = queue.runtime;
    await queue.runtime.breakers.configure('job:generic', { failureThreshold: 3 }, session);
    await endTogether(queue, runner, [
      [first, completed],
      [second, completed],
    ]);
    expect(await db.get("select total_successes from breakers where id = 'job:generic'")).toEqual({
      total_successes: 2,
    });
  });
});
