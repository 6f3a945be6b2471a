import fc from 'fast-check';
import { expect, it } from 'vitest';
import { completed, failing, testQueue } from './queue.js';

const minuteMs = 60_000;

it('five minutes of waiting count as one step of priority', async () => {
  const queue = await testQueue();
  const low = await queue.submit({ priority: 5 });
  queue.clock.pass(5 * minuteMs - 1);
  const higher = await queue.submit({ priority: 6 });
  queue.clock.pass(2);
  const later = await queue.submit({ priority: 6 });
  const order: string[] = [];
  for (let taken = 0; taken < 3; taken++) order.push((await queue.take(await queue.runner())).id);
  expect(order).toEqual([higher.id, low.id, later.id]);
});

it('whatever higher jobs keep coming, one a minute, the lowest runs within 46 claims', async () => {
  const queue = await testQueue();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 47, maxLength: 47 }),
      async (priorities) => {
        await queue.runtime.db.run(
          "update jobs set status = 'cancelled', runner_id = null where status in ('pending', 'running')",
        );
        const lowest = await queue.submit({ priority: 1 });
        const taken: string[] = [];
        for (const priority of priorities) {
          await queue.submit({ priority });
          const job = await queue.take(await queue.runner());
          taken.push(job.id);
          await queue.finish(job, completed);
          queue.clock.pass(minuteMs);
        }
        expect(taken.indexOf(lowest.id)).toBeGreaterThanOrEqual(0);
        expect(taken.indexOf(lowest.id)).toBeLessThan(46);
      },
    ),
    { seed: 7, numRuns: 2, examples: [[Array.from({ length: 47 }, () => 10)]] },
  );
});

it('a job that is tried again keeps its place', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  queue.clock.pass(minuteMs);
  await queue.submit();
  await queue.finish(job, failing(true));
  queue.clock.pass(10 * minuteMs);
  expect((await queue.take(await queue.runner())).id).toBe(job.id);
});

it('the next jobs are read from an index in their order', async () => {
  const { runtime } = await testQueue();
  if (process.env.AGENT_RUNTIME_TEST_ENGINE === 'postgres') return;
  const plan = await runtime.db.all<{ detail: string }>(
    `explain query plan select seq from jobs where status = 'pending' and unfinished_dependencies = 0 and lane = 'call'
       and (concurrency_key is distinct from 'k' or concurrency_limit > 1) order by queue_at, seq limit 1`,
  );
  expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('jobs_ready')]);
});
