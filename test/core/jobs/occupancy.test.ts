import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JobRow } from '../../../src/core/jobs/job.js';
import { createJobStore } from '../../../src/core/jobs/job-store.js';
import { oneByOne } from '../../support/one-by-one.js';
import { testRuntime } from '../../support/test-runtime.js';
import { completed, type Queue, session, testQueue } from './queue.js';

const twoTypes = { capabilities: { types: new Set(['generic', 'verify']), provides: [] }, maxRunning: 12 };

const running = (queue: Queue) =>
  queue.runtime.db.all<JobRow>("select * from jobs where status = 'running' order by seq");

it('jobs with a concurrency key run one at a time unless a limit is given, and say what they wait for', async () => {
  const queue = await testQueue();
  const first = await queue.submit({ concurrencyKey: 'gpu' });
  const second = await queue.submit({ concurrencyKey: 'gpu' });
  const other = await queue.submit();
  const job = await queue.take(await queue.runner());
  expect(job.id).toBe(first.id);
  expect((await queue.take(await queue.runner())).id).toBe(other.id);
  expect(await queue.jobs.why(second.id)).toBe(
    'It waits for its concurrency key gpu: 1 job with it is running, and no more may at once.',
  );
  await queue.finish(job, completed);
  expect((await queue.take(await queue.runner())).id).toBe(second.id);
});

it('of several limits of one key the smallest counts, and those behind a job that must wait go first', async () => {
  const queue = await testQueue();
  for (let count = 0; count < 2; count++) await queue.running({ concurrencyKey: 'site', concurrencyLimit: 3 });
  const strict = await queue.submit({ concurrencyKey: 'site', concurrencyLimit: 1 });
  const third = await queue.submit({ concurrencyKey: 'site', concurrencyLimit: 3 });
  expect((await queue.take(await queue.runner())).id).toBe(third.id);
  expect(await queue.jobs.why(strict.id)).toMatch(/: 3 jobs with it are running/);
  expect(await queue.jobs.anyReady()).toBe(false);
});

it('no process waits for a job whose key is full: the one that ends a job of it takes the next', async () => {
  const queue = await testQueue();
  const job = await queue.running({ concurrencyKey: 'gpu' });
  const next = await queue.submit({ concurrencyKey: 'gpu' });
  expect(await queue.jobs.permitRunner(session)).toBeUndefined();
  const { ended, next: step } = await queue.jobs.turn(
    job.runner_id ?? '',
    [{ key: { jobId: job.id, token: job.attempt_token ?? '' }, outcome: completed }],
    1,
  );
  expect(ended).toMatchObject([{ status: 'completed' }]);
  expect(step).toMatchObject({ do: 'run', jobs: [{ id: next.id }] });
});

it('several processes that claim at the same time never pass the limit of a key', async () => {
  const queue = await testQueue(twoTypes);
  const stores = [queue.jobs];
  for (let count = 0; count < 2; count++) {
    const { db } = await testRuntime({ home: queue.runtime.config.home, clock: queue.clock });
    stores.push(oneByOne(createJobStore({ ...queue.needs, db })));
  }
  for (let count = 0; count < 9; count++) await queue.submit({ concurrencyKey: 'k', concurrencyLimit: 2 });
  const runners = await Promise.all(Array.from({ length: 6 }, () => queue.runner()));
  let most = 0;
  for (let done = 0; done < 9; ) {
    await Promise.all(runners.map((runner, place) => stores[place % 3]?.turn(runner, [], 1)));
    const jobs = await running(queue);
    most = Math.max(most, jobs.length);
    for (const job of jobs) await queue.finish(job, completed);
    done += jobs.length;
    expect(jobs.length).toBeGreaterThan(0);
    await queue.runtime.db.run("update runners set state = 'running'");
  }
  expect(most).toBe(2);
});

const submission = fc.record({
  do: fc.constant('submit' as const),
  priority: fc.integer({ min: 1, max: 10 }),
  type: fc.constantFrom('generic', 'verify'),
  concurrency: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  key: fc.constantFrom(undefined, 'a', 'b'),
  limit: fc.integer({ min: 1, max: 3 }),
});
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: submission },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('claim' as const), room: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('finish' as const), which: fc.nat() }) },
  ),
  { minLength: 5, maxLength: 25 },
);

it('whatever is submitted: no limit is passed, and a runner that takes less than it could leaves nothing that may run', async () => {
  const queue = await testQueue(twoTypes);
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      await queue.runtime.db.run(
        "update jobs set status = 'cancelled', runner_id = null where status in ('pending', 'running')",
      );
      for (const step of given) {
        if (step.do === 'submit') {
          const { key, limit, ...job } = step;
          await queue.submit({ ...job, concurrencyKey: key, concurrencyLimit: limit });
        } else if (step.do === 'finish') {
          const jobs = await running(queue);
          const job = jobs[step.which % Math.max(1, jobs.length)];
          if (job) await queue.finish(job, completed);
        } else {
          const before = (await running(queue)).length;
          await queue.jobs.turn(await queue.runner(), [], step.room);
          const jobs = await running(queue);
          for (const job of jobs) expect(beside(jobs, job)).toBeLessThanOrEqual(limitOf(jobs, job));
          const room = Math.min(step.room, 12 - before);
          if (jobs.length - before < room) expect(await mayRun(queue, jobs)).toEqual([]);
        }
      }
    }),
    { seed: 7, numRuns: 25 },
  );
});

/** How many run with the key of a job. */
const beside = (jobs: readonly JobRow[], { concurrency_key: key }: JobRow): number =>
  key === null ? 0 : jobs.filter((job) => job.concurrency_key === key).length;

const limitOf = (jobs: readonly JobRow[], { concurrency_key: key }: JobRow): number =>
  Math.min(
    ...jobs.flatMap((job) => (key !== null && job.concurrency_key === key ? (job.concurrency_limit ?? 1) : [])),
    Number.POSITIVE_INFINITY,
  );

/** The pending jobs that would pass no limit beside those that run, reckoned from the rows alone. */
async function mayRun(queue: Queue, jobs: readonly JobRow[]): Promise<string[]> {
  const pending = await queue.runtime.db.all<JobRow>("select * from jobs where status = 'pending'");
  return pending.flatMap((job) => {
    const ofType = jobs.filter(({ type, concurrency }) => type === job.type && concurrency !== null);
    const typeLimit = Math.min(...[job, ...ofType].map(({ concurrency }) => concurrency ?? Number.POSITIVE_INFINITY));
    const all = [...jobs, job];
    return beside(all, job) <= limitOf(all, job) && ofType.length < typeLimit ? [job.id] : [];
  });
}
