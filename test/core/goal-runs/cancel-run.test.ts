import { describe, expect, it } from 'vitest';
import { completed, keyOf, session } from '../jobs/queue.js';
import { other, testRuns } from './runs.js';

describe('cancelling a run', () => {
  it('takes back what waits, asks what runs to end, and ends with the last of these', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
    const { id } = await runs.start(goal, { concurrency: 2 });
    const working = await runs.takeNext();
    const cancelled = await runs.jobs.cancel(id, session);
    expect(cancelled.job).toMatchObject({ status: 'running', isCancelRequested: true });
    expect(cancelled.working).toMatchObject([{ id: working.id }]);
    expect(await runs.jobs.heartbeat(working.runner_id ?? '', keyOf(working))).toEqual({ isCancelRequested: true });
    expect(await runs.underWay(id)).toEqual(['a']);
    await expect(runs.start(goal)).rejects.toThrow('is being cancelled');
    await runs.finish(working, { kind: 'cancelled' });
    const run = await runs.run(id);
    expect(run).toMatchObject({ status: 'cancelled', errorMessage: 'The run was cancelled.' });
    expect(run.result).toMatchObject({ tasks: { pending: 3 } });
    for (const key of ['a', 'b', 'c']) expect(await runs.task(key)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(await runs.events(id)).toEqual(['started', 'cancel_requested', 'cancelled']);
  });

  it('keeps what a job completes in spite of it', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }]), { concurrency: 1 });
    const working = await runs.takeNext();
    await runs.jobs.cancel(id, session);
    await runs.finish(working, completed);
    expect(await runs.run(id)).toMatchObject({ status: 'cancelled' });
    expect(await runs.task('a')).toMatchObject({ status: 'completed', result: 'Done.' });
    expect((await runs.task('b')).status).toBe('pending');
  });

  it('ends one at once that waits for others, or whose jobs have not begun', async () => {
    const runs = await testRuns();
    const waiting = await runs.goal([{ key: 'held' }]);
    await runs.runtime.tasks.updateStatus({ task: 'held', status: 'in_progress' }, other);
    for (const goal of [waiting, await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }])]) {
      const { id } = await runs.start(goal, { concurrency: 3 });
      expect((await runs.jobs.cancel(id, session)).job.status).toBe('cancelled');
      expect((await runs.run(id)).result).toMatchObject({ goal_id: goal });
      expect((await runs.jobs.cancel(id, session)).job.status).toBe('cancelled');
    }
    expect(await runs.task('held')).toMatchObject({ status: 'in_progress', claimed_by: 'session:other' });
  });

  it('is refused when it has ended', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }]));
    await runs.workAll();
    await expect(runs.jobs.cancel(id, session)).rejects.toThrow(expect.objectContaining({ code: 'conflict' }));
  });
});

describe('cancelling one job of a run', () => {
  it('gives its task back, and the run goes on without it', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }]), { concurrency: 1 });
    const unwanted = await runs.takeNext();
    await runs.jobs.cancel(unwanted.id, session);
    await runs.finish(unwanted, { kind: 'cancelled' });
    expect((await runs.task('a')).status).toBe('pending');
    expect(await runs.workAll()).toEqual(['b']);
    const run = await runs.run(id);
    expect(run).toMatchObject({ status: 'failed', errorCode: 'stuck' });
    expect(run.errorMessage).toContain('Its job was cancelled, and the run leaves it alone.');
  });
});

it('when all tasks are deleted under it, it ends and claims no success', async () => {
  const runs = await testRuns();
  const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }]), { concurrency: 1 });
  const working = await runs.takeNext();
  await runs.runtime.maintenance.clearBoard(session);
  await runs.finish(working, completed);
  expect(await runs.run(id)).toMatchObject({ status: 'cancelled', errorMessage: 'Goal 1 has no tasks any more.' });
});

describe('when its goal is cancelled', () => {
  it('a run begins nothing more, and ends with the job that is under way', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
    const { id } = await runs.start(goal, { concurrency: 2 });
    const working = await runs.takeNext();
    await runs.runtime.goals.edit(goal, { status: 'cancelled' }, session);
    expect(await runs.jobs.heartbeat(working.runner_id ?? '', keyOf(working))).toEqual({ isCancelRequested: true });
    await runs.rescue();
    expect(await runs.underWay(id)).toEqual(['a']);
    await runs.finish(working, { kind: 'cancelled' });
    expect(await runs.run(id)).toMatchObject({ status: 'cancelled', errorMessage: `Goal ${goal} was cancelled.` });
    expect((await runs.task('a')).status).toBe('cancelled');
  });

  it('a run that waits for others ends with the next sweep', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'held' }]);
    await runs.runtime.tasks.updateStatus({ task: 'held', status: 'in_progress' }, other);
    const { id } = await runs.start(goal);
    await runs.runtime.goals.edit(goal, { status: 'cancelled' }, session);
    await runs.runtime.goalRuns.sweep();
    expect((await runs.run(id)).status).toBe('cancelled');
  });
});
