import { describe, expect, it } from 'vitest';
import { completed, session, testQueue } from './queue.js';

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
