import { expect, it } from 'vitest';
import { completed, testQueue } from './queue.js';

it('the most urgent job is taken first, then the one that was due first', async () => {
  const queue = await testQueue();
  const low = await queue.submit({ priority: 1 });
  const usual = await queue.submit();
  queue.clock.pass(10);
  const urgent = await queue.submit({ priority: 10 });
  const usualToo = await queue.submit();
  const order: string[] = [];
  for (let taken = 0; taken < 4; taken++) order.push((await queue.take(await queue.runner())).id);
  expect(order).toEqual([urgent.id, usual.id, usualToo.id, low.id]);
});

it('two runners never get the same job', async () => {
  const queue = await testQueue({ maxRunning: 20 });
  for (let count = 0; count < 20; count++) await queue.submit();
  const runners = await Promise.all(Array.from({ length: 20 }, () => queue.runner()));
  const taken = await Promise.all(runners.map((runner) => queue.take(runner)));
  expect(new Set(taken.map((job) => job.id)).size).toBe(20);
});

it('a job that is due later is not taken before', async () => {
  const queue = await testQueue();
  const later = await queue.submit({ runAt: queue.clock.now() + 60_000 });
  const runner = await queue.runner();
  expect(await queue.jobs.nextStep(runner)).toEqual({ do: 'wait', until: later.runAt });
  queue.clock.pass(60_000);
  expect((await queue.take(runner)).id).toBe(later.id);
});

it('a job is left to runners that have what it requires', async () => {
  const queue = await testQueue();
  const ours = await queue.submit({ requires: 'anthropic' });
  await queue.submit({ requires: 'google', priority: 10 });
  await queue.submit({ type: 'unheard_of', priority: 10 });
  const runner = await queue.runner();
  const job = await queue.take(runner);
  expect(job.id).toBe(ours.id);
  await queue.finish(job, completed);
  expect(await queue.jobs.nextStep(runner)).toEqual({ do: 'leave' });
});

it('no more jobs of a type run at once than its agent allows', async () => {
  const queue = await testQueue({ capabilities: { types: new Set(['command', 'backtest']), provides: [] } });
  await queue.submit({ type: 'backtest', priority: 9, concurrency: 1 });
  const second = await queue.submit({ type: 'backtest', priority: 9, concurrency: 1 });
  const other = await queue.submit({ type: 'command' });
  const first = await queue.take(await queue.runner('process'));
  expect((await queue.take(await queue.runner('process'))).id).toBe(other.id);
  await queue.finish(first, completed);
  expect((await queue.take(await queue.runner('process'))).id).toBe(second.id);
});

it('a job of a module is left to runners that have the module, whatever its type', async () => {
  const capabilities = { types: new Set(['generic']), provides: ['module:/agents/count.mjs'] };
  const queue = await testQueue({ capabilities });
  await queue.submit({ type: 'count', requires: 'module:/elsewhere/count.mjs', priority: 10 });
  const ours = await queue.submit({ type: 'count', requires: 'module:/agents/count.mjs' });
  const runner = await queue.runner('process');
  const job = await queue.take(runner);
  expect(job.id).toBe(ours.id);
  await queue.finish(job, completed);
  expect(await queue.jobs.nextStep(runner)).toEqual({ do: 'leave' });
});

it('an attempt has a row of its own, and an event records it', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  await queue.finish(job, completed);
  expect(await queue.jobs.attempts(job.id)).toMatchObject([{ attempt: 1, outcome: 'completed' }]);
  expect(await queue.events(job.id)).toEqual(['submitted', 'started', 'completed']);
});
