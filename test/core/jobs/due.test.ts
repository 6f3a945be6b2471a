import { expect, it } from 'vitest';
import { session, testQueue } from './queue.js';

const hourMs = 3_600_000;
const lostTry = {
  kind: 'failed',
  code: 'overloaded',
  message: 'Busy.',
  isTransient: true,
  retryAfterMs: 60_000,
} as const;

/** The id of the job that a free runner starts now. */
async function started(queue: Awaited<ReturnType<typeof testQueue>>): Promise<string | undefined> {
  const step = await queue.jobs.nextStep(await queue.runner());
  return step.do === 'run' ? step.job.id : undefined;
}

it('a job for now that was submitted while the clock was ahead starts once the clock is right', async () => {
  const queue = await testQueue();
  queue.clock.stepWallClock(3 * hourMs);
  const { job } = await queue.jobs.submit({ type: 'generic', payload: {} }, session);
  queue.clock.stepWallClock(-3 * hourMs);
  expect(await queue.jobs.anyReady()).toBe(true);
  expect(await started(queue)).toBe(job.id);
});

it('a job for now starts also after a reboot into an earlier time', async () => {
  const queue = await testQueue();
  const { job } = await queue.jobs.submit({ type: 'generic', payload: {} }, session);
  queue.clock.reboot();
  queue.clock.stepWallClock(-24 * hourMs);
  expect(await started(queue)).toBe(job.id);
});

it('a time that was asked for goes by the wall clock', async () => {
  const queue = await testQueue();
  const runAt = queue.clock.now() + hourMs;
  const { job } = await queue.jobs.submit({ type: 'generic', payload: {}, runAt }, session);
  expect(await queue.jobs.anyReady()).toBe(false);
  queue.clock.stepWallClock(hourMs);
  expect(await started(queue)).toBe(job.id);
});

it.each([2 * hourMs, -2 * hourMs])(
  'the pause before a retry is neither cut nor stretched by a step of %i ms',
  async (ms) => {
    const queue = await testQueue();
    const job = await queue.running();
    await queue.finish(job, lostTry);
    queue.clock.stepWallClock(ms);
    queue.clock.pass(59_000);
    expect(await queue.jobs.anyReady()).toBe(false);
    queue.clock.pass(62_000);
    expect(await queue.jobs.anyReady()).toBe(true);
    expect(await started(queue)).toBe(job.id);
  },
);

it('after a reboot the wall clock decides about a retry', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  await queue.finish(job, lostTry);
  queue.clock.reboot();
  expect(await queue.jobs.anyReady()).toBe(false);
  queue.clock.pass(121_000);
  expect(await started(queue)).toBe(job.id);
});
