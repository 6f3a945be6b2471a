import { describe, expect, it } from 'vitest';
import { completed, failing, session, testQueue } from './queue.js';

describe('an idempotency key', () => {
  it('leads to the job of the first call, however often it comes', async () => {
    const queue = await testQueue();
    const first = await queue.jobs.submit({ type: 'generic', payload: { a: 1 }, idempotencyKey: 'k' }, session);
    const again = await queue.jobs.submit({ type: 'generic', payload: { a: 1 }, idempotencyKey: 'k' }, session);
    expect(first.isRepeated).toBe(false);
    expect(again.isRepeated).toBe(true);
    expect(again.job.id).toBe(first.job.id);
  });

  it('makes one job of twenty simultaneous calls', async () => {
    const queue = await testQueue();
    const submissions = await Promise.all(
      Array.from({ length: 20 }, () =>
        queue.jobs.submit({ type: 'generic', payload: { a: 1 }, idempotencyKey: 'k' }, session),
      ),
    );
    expect(new Set(submissions.map(({ job }) => job.id)).size).toBe(1);
    expect(submissions.filter(({ isRepeated }) => !isRepeated)).toHaveLength(1);
  });

  it('is refused for another request, naming the job that it belongs to', async () => {
    const queue = await testQueue();
    const { id } = await queue.submit({ payload: { a: 1 }, idempotencyKey: 'k' });
    await expect(queue.submit({ payload: { a: 2 }, idempotencyKey: 'k' })).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', message: expect.stringContaining(id) }),
    );
  });
});

describe('a job that depends on others', () => {
  it('is ready only when all of them are completed', async () => {
    const queue = await testQueue();
    const first = await queue.running();
    const second = await queue.running();
    const last = await queue.submit({ dependsOn: [first.id, second.id] });
    expect(last.unfinishedDependencies).toBe(2);
    const runner = await queue.runner();
    await queue.finish(first, completed);
    expect(await queue.jobs.nextStep(runner)).toEqual({ do: 'leave' });
    await queue.finish(second, completed);
    expect((await queue.take(await queue.runner())).id).toBe(last.id);
  });

  it('counts one that is completed already, and one that is named twice, as it should', async () => {
    const queue = await testQueue();
    const done = await queue.running();
    await queue.finish(done, completed);
    const open = await queue.submit();
    const job = await queue.submit({ dependsOn: [done.id, open.id, open.id] });
    expect(job.unfinishedDependencies).toBe(1);
  });

  it('is refused when one of them has failed, saying how to go on', async () => {
    const queue = await testQueue();
    const failed = await queue.running();
    await queue.finish(failed, failing(false));
    await expect(queue.submit({ dependsOn: [failed.id] })).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', hint: expect.stringContaining('retry_task') }),
    );
  });

  it('is refused for an id that is no job, and nothing is stored', async () => {
    const queue = await testQueue();
    const [task] = await queue.runtime.tasks.create([{ title: 'On the board' }], session);
    await expect(queue.submit({ dependsOn: [`${task?.id}`] })).rejects.toThrow(
      expect.objectContaining({ code: 'not_found', message: expect.stringContaining('on the board') }),
    );
    await expect(queue.submit({ dependsOn: ['nothing'] })).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
    expect(await queue.jobs.list({ limit: 10 })).toEqual([]);
  });
});
