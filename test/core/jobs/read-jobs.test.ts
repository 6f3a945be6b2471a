import { describe, expect, it } from 'vitest';
import { isOnPostgres } from '../../support/postgres.js';
import { completed, pidOf, session, testQueue } from './queue.js';

describe('dead letters', () => {
  it('are the jobs under which three runners vanished, until someone retries them', async () => {
    const queue = await testQueue();
    const { id } = await queue.submit();
    await queue.submit({ runAt: queue.clock.now() + 86_400_000 });
    for (let crash = 0; crash < 3; crash++) {
      queue.clock.pass(200_000);
      // Once it has lost a runner it has a process of its own.
      const runner = await queue.runner(crash === 0 ? 'call' : 'process');
      const job = await queue.take(runner);
      expect(job.id).toBe(id);
      queue.liveness.set(await pidOf(queue, runner), 'dead');
      await queue.rescue();
    }
    const dead = () => queue.jobs.list({ isDead: true, limit: 10 });
    expect(await dead()).toMatchObject([{ id, isDead: true, status: 'failed' }]);
    expect(await queue.jobs.list({ isDead: true, type: 'backtest', limit: 10 })).toEqual([]);
    expect(await queue.jobs.list({ limit: 10 })).toHaveLength(2);
    await queue.jobs.retry(id, {}, session);
    expect(await dead()).toEqual([]);
  });

  it.skipIf(isOnPostgres)('are found by an index of their own, however many other jobs there are', async () => {
    const { runtime } = await testQueue();
    const plan = await runtime.db.all<{ detail: string }>(
      'explain query plan select id from jobs where is_dead = 1 order by seq desc limit 20',
    );
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('INDEX jobs_dead')]);
  });
});

it('the log is read on from any of its lines', async () => {
  const queue = await testQueue();
  const { id } = await queue.running();
  for (const message of ['one', 'two', 'three']) {
    await queue.runtime.db.run(
      "insert into job_logs (job_id, at, level, message) values (?, 1, 'info', ?)",
      id,
      message,
    );
  }
  const messages = async (afterId: number, limit = 10) =>
    (await queue.jobs.logsAfter(id, afterId, limit)).map(({ message }) => message);
  expect(await messages(0)).toEqual(['one', 'two', 'three']);
  const [first] = await queue.jobs.logsAfter(id, 0, 1);
  expect(await messages(first?.id ?? 0)).toEqual(['two', 'three']);
  expect(await messages(first?.id ?? 0, 1)).toEqual(['two']);
  expect((await queue.jobs.logs(id, 2)).map(({ message }) => message)).toEqual(['two', 'three']);
});

it('how far a job is, is read without its texts', async () => {
  const queue = await testQueue();
  const job = await queue.running();
  expect(await queue.jobs.progress(job.id)).toEqual({
    status: 'running',
    progress: null,
    progressMessage: null,
    errorCode: null,
    errorMessage: null,
  });
  await queue.finish(job, completed);
  expect(await queue.jobs.progress(job.id)).toMatchObject({ status: 'completed', progress: 1 });
  await expect(queue.jobs.progress('b2f1')).rejects.toMatchObject({ code: 'not_found' });
});
