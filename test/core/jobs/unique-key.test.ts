import { expect, it } from 'vitest';
import { completed, failing, session, testQueue } from './queue.js';

const nightly = { type: 'generic', payload: {}, uniqueKey: 'nightly' };

it('a job whose unique key is taken by a pending or running one is not submitted: that one is returned', async () => {
  const queue = await testQueue();
  const first = await queue.jobs.submit(nightly, session);
  const again = await queue.jobs.submit({ ...nightly, payload: { other: true } }, session);
  expect(again).toMatchObject({ job: { id: first.job.id }, isRepeated: true });
  const job = await queue.take(await queue.runner());
  expect((await queue.jobs.submit(nightly, session)).job.id).toBe(first.job.id);
  await queue.finish(job, completed);
  expect((await queue.jobs.submit(nightly, session)).isRepeated).toBe(false);
});

it('it is taken in one project alone, and twenty calls at the same time make one job', async () => {
  const queue = await testQueue();
  const elsewhere = await queue.jobs.submit(nightly, { ...session, project: '/elsewhere' });
  const calls = await Promise.all(Array.from({ length: 20 }, () => queue.jobs.submit(nightly, session)));
  const ids = new Set(calls.map(({ job }) => job.id));
  expect(ids.size).toBe(1);
  expect(ids.has(elsewhere.job.id)).toBe(false);
});

it('a failed job is not retried while another has its unique key, and says which', async () => {
  const queue = await testQueue();
  const failed = await queue.running(nightly);
  await queue.finish(failed, failing(false));
  const { id } = await queue.submit(nightly);
  await expect(queue.jobs.retry(failed.id, {}, session)).rejects.toThrow(
    expect.objectContaining({ code: 'conflict', message: expect.stringContaining(id) }),
  );
  await queue.jobs.cancel(id, session);
  expect((await queue.jobs.retry(failed.id, {}, session)).job.status).toBe('pending');
});
