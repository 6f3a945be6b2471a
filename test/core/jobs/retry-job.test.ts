import { describe, expect, it } from 'vitest';
import { completed, failing, type Queue, session, testQueue } from './queue.js';

async function failed(queue: Queue) {
  const job = await queue.running();
  await queue.finish(job, failing(false));
  return job;
}

describe('when a job that did not complete is retried', () => {
  it('the jobs that depend on it come back, and run after it', async () => {
    const queue = await testQueue();
    const first = await failedWith(queue);
    await queue.jobs.retry(first.id, {}, session);
    expect((await queue.jobs.get(first.last)).status).toBe('pending');
    for (let count = 0; count < 3; count++) {
      const job = await queue.take(await queue.runner());
      await queue.finish(job, completed);
    }
    expect((await queue.jobs.get(first.last)).status).toBe('completed');
  });

  it('one that depends on another failed job as well comes back only with both', async () => {
    const queue = await testQueue();
    const [one, two] = [await queue.running(), await queue.running()];
    const both = await queue.submit({ dependsOn: [one.id, two.id] });
    await queue.finish(one, failing(false));
    await queue.finish(two, failing(false));
    await queue.jobs.retry(one.id, {}, session);
    expect((await queue.jobs.get(both.id)).status).toBe('cancelled');
    await queue.jobs.retry(two.id, {}, session);
    expect(await queue.jobs.get(both.id)).toMatchObject({ status: 'pending', unfinishedDependencies: 2 });
  });

  it('one that was cancelled by hand stays cancelled', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    const second = await queue.submit({ dependsOn: [first.id] });
    await queue.jobs.cancel(second.id, session);
    await queue.finish(first, failing(false));
    await queue.jobs.retry(first.id, {}, session);
    expect((await queue.jobs.get(second.id)).status).toBe('cancelled');
  });
});

/** A failed job with a chain of two behind it. */
async function failedWith(queue: Queue) {
  const first = await queue.running();
  const second = await queue.submit({ dependsOn: [first.id] });
  const third = await queue.submit({ dependsOn: [second.id, first.id] });
  await queue.finish(first, failing(false));
  return { id: first.id, last: third.id };
}

describe('a retry', () => {
  it('starts a failed or cancelled job anew with fresh tries, by itself', async () => {
    const queue = await testQueue();
    const { id } = await failed(queue);
    const { job } = await queue.jobs.retry(id, { requestedModel: 'opus', payload: '{"again":1}' }, session);
    expect(job).toMatchObject({ status: 'pending', tries: 0, errorCode: null, requestedModel: 'opus', attempt: 1 });
    const again = await queue.take(await queue.runner());
    expect(again).toMatchObject({ id, attempt: 2, payload: '{"again":1}' });
  });

  it('is refused for a job that is under way or completed, saying what to do', async () => {
    const queue = await testQueue();
    const job = await queue.running();
    await expect(queue.jobs.retry(job.id, {}, session)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', hint: expect.stringContaining('wait_for_tasks') }),
    );
    await queue.finish(job, completed);
    await expect(queue.jobs.retry(job.id, {}, session)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', hint: 'Submit a new one.' }),
    );
  });

  it('of a job that waits for a failed one is refused, naming that one', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    const second = await queue.submit({ dependsOn: [first.id] });
    await queue.finish(first, failing(false));
    await expect(queue.jobs.retry(second.id, {}, session)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', hint: expect.stringContaining(first.id) }),
    );
  });
});
