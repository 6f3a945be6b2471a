import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/core/actor.js';
import { completed, failing, keyOf, type Queue, session, testQueue } from './queue.js';

const other: Actor = { holder: 'session:other', project: '' };

async function boardTask(queue: Queue): Promise<number> {
  const [task] = await queue.runtime.tasks.create([{ title: 'Write the tests' }], session);
  return task?.id ?? 0;
}

describe('a board task that is handed to a job', () => {
  it('is claimed by it, and completed with its text', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.running({ task });
    expect(await queue.runtime.tasks.get(task)).toMatchObject({ status: 'in_progress', claimedBy: `job:${job.id}` });
    await queue.finish(job, { ...completed, inputTokens: 30, outputTokens: 12 });
    expect(await queue.runtime.tasks.get(task)).toMatchObject({ status: 'completed', result: 'Done.', tokensUsed: 42 });
  });

  it('fails with it, saying why', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.running({ task });
    await queue.finish(job, failing(false));
    expect(await queue.runtime.tasks.get(task)).toMatchObject({
      status: 'failed',
      error: `Job ${job.id} failed: Set another key.`,
    });
  });

  it('stays claimed while the job is tried again, and is given back when the job is cancelled', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.running({ task });
    await queue.finish(job, failing(true));
    expect((await queue.runtime.tasks.get(task)).status).toBe('in_progress');
    await queue.jobs.cancel(job.id, session);
    expect(await queue.runtime.tasks.get(task)).toMatchObject({ status: 'pending', attempts: 0 });
  });

  it('may be one that the session holds itself, but not one that another holds', async () => {
    const queue = await testQueue();
    const { tasks } = queue.runtime;
    const own = await boardTask(queue);
    await tasks.updateStatus({ task: own, status: 'in_progress' }, session);
    await queue.submit({ task: own });
    const foreign = await boardTask(queue);
    await tasks.updateStatus({ task: foreign, status: 'in_progress' }, other);
    await expect(queue.submit({ task: foreign })).rejects.toThrow(
      expect.objectContaining({ code: 'already_claimed', message: expect.stringContaining('session:other') }),
    );
    expect(await queue.jobs.list({ limit: 10 })).toHaveLength(1);
  });

  it('is claimed once when the call is repeated with its key', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const first = await queue.submit({ task, idempotencyKey: 'k' });
    const again = await queue.submit({ task, idempotencyKey: 'k' });
    expect(again.id).toBe(first.id);
    expect((await queue.runtime.tasks.get(task)).claimToken).toBe(1);
  });

  it('is not touched by a job whose claim has been superseded', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.running({ task });
    const { db, tasks } = queue.runtime;
    await db.run("update tasks set status = 'pending', claimed_by = null, lease_expires_at = null where id = ?", task);
    await tasks.updateStatus({ task, status: 'in_progress' }, other);
    await queue.finish(job, { ...completed, inputTokens: 5, outputTokens: 5 });
    expect((await queue.row(job.id)).status).toBe('completed');
    expect(await tasks.get(task)).toMatchObject({
      status: 'in_progress',
      claimedBy: 'session:other',
      result: null,
      tokensUsed: 0,
    });
  });

  it('counts the tokens of every try once', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const first = await queue.running({ task });
    await queue.finish(first, { ...failing(true), inputTokens: 10, outputTokens: 0 });
    queue.clock.pass(10_000);
    await queue.finish(await queue.take(await queue.runner()), { ...failing(false), inputTokens: 10, outputTokens: 3 });
    await queue.jobs.retry(first.id, {}, session);
    await queue.finish(await queue.take(await queue.runner()), { ...completed, inputTokens: 10, outputTokens: 7 });
    expect((await queue.runtime.tasks.get(task)).tokensUsed).toBe(40);
  });
});

describe('an answer that is none', () => {
  it.each(['', '   ', '{"model":"m","stop_reason":"end_turn"}', '# CANNOT', "I'm unable to do it."])(
    '%j never is the result of the task: it fails, and nothing is built on it',
    async (output) => {
      const queue = await testQueue({ capabilities: { types: new Set(['llm']), provides: [] } });
      const task = await boardTask(queue);
      const [after] = await queue.runtime.tasks.create([{ title: 'Next', dependencies: [task] }], session);
      const job = await queue.running({ type: 'llm', task });
      await queue.finish(job, { kind: 'completed', result: { model: 'm', stop_reason: 'end_turn' }, output });
      const { status, result, error } = await queue.runtime.tasks.get(task);
      expect(status).toBe('failed');
      expect(result).toBe(output === '' ? null : output);
      expect(error).toMatch(/^The (model|answer)/);
      expect((await queue.runtime.tasks.get(after?.id ?? 0)).isReady).toBe(false);
    },
  );
});

describe('when its board task is taken off the board', () => {
  it('a waiting job is cancelled and never starts', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.submit({ task });
    await queue.runtime.tasks.updateStatus({ task, status: 'cancelled' }, other);
    expect((await queue.jobs.nextStep(await queue.runner())).do).toBe('leave');
    await queue.rescue();
    expect(await queue.jobs.get(job.id)).toMatchObject({
      status: 'cancelled',
      errorMessage: `The job was cancelled, because task ${task} was.`,
    });
  });

  it('the runner of a running job learns it by its heartbeat', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.running({ task });
    await queue.runtime.tasks.updateStatus({ task, status: 'cancelled' }, other);
    expect(await queue.jobs.state(job.runner_id ?? '', keyOf(job))).toEqual({ isCancelRequested: true });
    await queue.finish(job, { kind: 'cancelled' });
    expect((await queue.runtime.tasks.get(task)).status).toBe('cancelled');
  });

  it('so it is when its goal is cancelled', async () => {
    const queue = await testQueue();
    const { goals, tasks } = queue.runtime;
    const goal = await goals.create({ name: 'Ship', description: 'It' }, session);
    const [task] = await tasks.create([{ title: 'A part', goalId: goal.id }], session);
    const job = await queue.submit({ task: task?.id ?? 0 });
    await goals.edit(goal.id, { status: 'cancelled' }, session);
    await queue.rescue();
    expect((await queue.jobs.get(job.id)).status).toBe('cancelled');
  });
});

describe('a retry', () => {
  it('takes the board task up again that the job had failed, and completes it', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.running({ task });
    await queue.finish(job, failing(false));
    await queue.jobs.retry(job.id, {}, session);
    expect((await queue.runtime.tasks.get(task)).status).toBe('in_progress');
    await queue.finish(await queue.take(await queue.runner()), completed);
    expect(await queue.runtime.tasks.get(task)).toMatchObject({ status: 'completed', result: 'Done.' });
  });

  it('is refused when someone else has taken it up meanwhile', async () => {
    const queue = await testQueue();
    const task = await boardTask(queue);
    const job = await queue.submit({ task });
    await queue.jobs.cancel(job.id, session);
    await queue.runtime.tasks.updateStatus({ task, status: 'in_progress' }, other);
    await expect(queue.jobs.retry(job.id, {}, session)).rejects.toThrow(
      expect.objectContaining({ code: 'already_claimed' }),
    );
    expect((await queue.jobs.get(job.id)).status).toBe('cancelled');
  });
});
