import { describe, expect, it } from 'vitest';
import { completed, failing, type Queue, session, testQueue } from './queue.js';

async function failed(queue: Queue) {
  const job = await queue.running();
  await queue.finish(job, failing(false));
  return job;
}

describe('cancelling', () => {
  it('ends a waiting job at once, which then never starts', async () => {
    const queue = await testQueue();
    const { id } = await queue.submit();
    const { job, working } = await queue.jobs.cancel(id, session);
    expect(job).toMatchObject({ status: 'cancelled', errorMessage: 'The job was cancelled before it started.' });
    expect(working).toEqual([]);
    expect((await queue.jobs.nextStep(await queue.runner())).do).toBe('leave');
  });

  it('names the process of a running job, and says again that it is cancelled', async () => {
    const queue = await testQueue();
    const { id } = await queue.running();
    expect((await queue.jobs.cancel(id, session)).working).toMatchObject([{ id, runner: { pid: expect.any(Number) } }]);
    const { job } = await queue.jobs.cancel(id, session);
    expect(job).toMatchObject({ status: 'running', isCancelRequested: true });
  });

  it('is refused for a job that has ended, and repeated in peace', async () => {
    const queue = await testQueue();
    const done = await queue.running();
    await queue.finish(done, completed);
    await expect(queue.jobs.cancel(done.id, session)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', message: `Job ${done.id} has already completed.` }),
    );
    const { id } = await queue.submit();
    await queue.jobs.cancel(id, session);
    expect((await queue.jobs.cancel(id, session)).job.status).toBe('cancelled');
  });

  it('and taking it at the same instant leave one of two truths', async () => {
    for (let round = 0; round < 10; round++) {
      const queue = await testQueue();
      const { id } = await queue.submit();
      const runner = await queue.runner();
      const [{ job }, step] = await Promise.all([queue.jobs.cancel(id, session), queue.jobs.nextStep(runner)]);
      if (step.do === 'run') expect(job).toMatchObject({ status: 'running', isCancelRequested: true });
      else expect(job.status).toBe('cancelled');
    }
  });
});

describe('when a job does not complete', () => {
  it('those that wait for it are cancelled with the reason, through all levels', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    const second = await queue.submit({ dependsOn: [first.id] });
    const third = await queue.submit({ dependsOn: [second.id] });
    await queue.finish(first, failing(false));
    expect(await queue.jobs.get(second.id)).toMatchObject({
      status: 'cancelled',
      errorCode: 'dependency_failed',
      errorMessage: `Not run, because job ${first.id}, which it depends on, failed.`,
    });
    expect(await queue.jobs.get(third.id)).toMatchObject({
      status: 'cancelled',
      errorMessage: `Not run, because job ${second.id}, which it depends on, was cancelled.`,
    });
  });

  it('and is retried, they come back, and run after it', async () => {
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

  it('one that waits for another failed job as well comes back only with both', async () => {
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

  it('one that was cancelled by hand stays so', async () => {
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
