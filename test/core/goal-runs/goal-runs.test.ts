import { describe, expect, it } from 'vitest';
import { readBudget, spend } from '../../../src/core/budget/ledger.js';
import { readOverview } from '../../../src/core/overview/overview.js';
import { completed, keyOf, session } from '../jobs/queue.js';
import { other, type Runs, testRuns } from './runs.js';

const options = { model: 'sonnet', requires: 'anthropic', concurrency: 2, warnings: [] };

/** A refused start must leave no trace. */
async function expectNothingStored(runs: Runs): Promise<void> {
  expect(await runs.runtime.db.all('select 1 from jobs')).toEqual([]);
  expect(await runs.runtime.db.all("select 1 from events where type = 'run_started'")).toEqual([]);
}

describe('starting a run', () => {
  it('is refused without tasks, saying how to create some', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([]);
    await expect(runs.start(goal)).rejects.toThrow(
      expect.objectContaining({
        code: 'conflict',
        message: `Goal ${goal} "Ship it" has no tasks to run.`,
        hint: expect.stringContaining('decompose_goal'),
      }),
    );
    await expectNothingStored(runs);
  });

  it('is refused when all tasks are cancelled, and for a goal that is completed, cancelled, or unknown', async () => {
    const runs = await testRuns();
    const { goals, tasks } = runs.runtime;
    const emptied = await runs.goal([{ key: 'only' }]);
    await tasks.updateStatus({ task: 'only', status: 'cancelled' }, session);
    await expect(runs.start(emptied)).rejects.toThrow('has no tasks to run: all 1 are cancelled.');
    const done = await runs.goal([{ key: 'done' }]);
    await tasks.updateStatus({ task: 'done', status: 'completed' }, session);
    await expect(runs.start(done)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', message: `Goal ${done} "Ship it" is completed.` }),
    );
    const off = await runs.goal([{ key: 'off' }]);
    await goals.edit(off, { status: 'cancelled' }, session);
    await expect(runs.start(off)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', hint: expect.stringContaining('update_goal') }),
    );
    await expect(runs.start(4_711)).rejects.toThrow(expect.objectContaining({ code: 'not_found' }));
    await expectNothingStored(runs);
  });

  it('is refused when its budget is spent, and leaves the old one', async () => {
    const runs = await testRuns();
    const { db } = runs.runtime;
    const goal = await runs.goal([{ key: 'a' }], 1_000);
    await spend(db, `goal:${goal}`, 900, 0);
    await expect(runs.start(goal, { tokenBudget: 800 })).rejects.toThrow(
      expect.objectContaining({ code: 'budget_exhausted', message: expect.stringContaining('900 spent') }),
    );
    await expectNothingStored(runs);
    expect(await readBudget(db, `goal:${goal}`)).toMatchObject({ cap: 1_000, spent: 900 });
    await runs.start(goal, { tokenBudget: 5_000 });
    expect(await readBudget(db, `goal:${goal}`)).toMatchObject({ cap: 5_000, spent: 900 });
  });

  it('by two sessions at the same time makes one run, and both get it', async () => {
    const runs = await testRuns();
    const { goalRuns, db } = runs.runtime;
    const goalId = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }, { key: 'd' }]);
    const started = await Promise.all(
      [session, other, session, other].map((actor) => goalRuns.start({ ...options, goalId }, actor)),
    );
    expect(new Set(started.map(({ run }) => run.id)).size).toBe(1);
    expect(started.map(({ isRepeated }) => isRepeated)).toEqual([false, true, true, true]);
    expect(await db.all("select 1 from jobs where type = 'run_goal'")).toHaveLength(1);
    expect(await runs.underWay(started[0]?.run.id ?? '')).toEqual(['a', 'b']);
  });

  it('while one is live changes only the budget', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }]);
    const { id, payload } = await runs.start(goal, { concurrency: 1 });
    const again = await runs.start(goal, { concurrency: 2, model: 'opus', tokenBudget: 9_000 });
    expect(again).toMatchObject({ id, payload, requestedModel: 'sonnet' });
    expect(await runs.underWay(id)).toEqual(['a']);
    expect(await readBudget(runs.runtime.db, `goal:${goal}`)).toMatchObject({ cap: 9_000 });
  });

  it('of a goal that was run before starts a new run of what is left', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }]);
    const first = await runs.start(goal, { concurrency: 1 });
    await runs.workOne();
    await runs.jobs.cancel(first.id, session);
    expect(await runs.run(first.id)).toMatchObject({ status: 'cancelled' });
    const second = await runs.start(goal);
    expect(await runs.workAll()).toEqual(['b']);
    expect((await runs.run(second.id)).status).toBe('completed');
    await expect(runs.start(goal)).rejects.toThrow('is completed');
  });
});

describe('in lists of jobs', () => {
  it('the end of a run is an unread result; the ends of its jobs are not', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }]));
    await runs.workAll();
    const unread = await runs.runtime.db.all<{ id: string }>(
      "select id from jobs where read_at is null and status = 'completed'",
    );
    expect(unread).toEqual([{ id }]);
  });

  it('a run belongs to the session that started it, and takes no process', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }]));
    const overview = await readOverview(runs.runtime, session);
    expect(overview).toMatchObject({ runningJobs: 0, pendingJobs: 1 });
    expect(overview.ownJobs.map((job) => job.id)).toContain(id);
  });

  it('a retry is refused, naming what to call', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }]));
    await runs.jobs.cancel(id, session);
    await expect(runs.jobs.retry(id, {}, session)).rejects.toThrow(
      expect.objectContaining({ code: 'conflict', hint: expect.stringContaining('run_goal') }),
    );
    expect((await runs.run(id)).status).toBe('cancelled');
  });

  it('a job that depends on it starts when it is completed', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }]));
    const report = await runs.submit({ type: 'llm', dependsOn: [id], priority: 10 });
    expect(await runs.workOne()).toBe('a');
    const next = await runs.takeNext();
    expect(next.id).toBe(report.id);
    await runs.finish(next, completed);
  });
});

it('a purge deletes ended runs with their jobs, and nothing of a live run', async () => {
  const runs = await testRuns();
  const { runtime, clock } = runs;
  const done = await runs.start(await runs.goal([{ key: 'a' }]));
  await runs.workAll();
  const live = await runs.start(await runs.goal([{ key: 'b' }, { key: 'c', dependencies: ['b'] }]), { concurrency: 1 });
  await runs.workOne();
  clock.pass(10 * 86_400_000);
  expect(await runtime.maintenance.purge(clock.now() - 86_400_000, session)).toMatchObject({ jobs: 2, goals: 1 });
  expect(await runtime.db.get('select 1 from jobs where id = ?', done.id)).toBeUndefined();
  expect(await runtime.db.all('select 1 from jobs where parent_id = ?', live.id)).toHaveLength(2);
  await runs.workAll();
  expect((await runs.run(live.id)).result).toMatchObject({ tasks: { completed: 2 } });
});

describe('cancelling a run', () => {
  it('cancels its pending jobs, asks the running ones to end, and ends with the last of these', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
    const { id } = await runs.start(goal, { concurrency: 2 });
    const working = await runs.takeNext();
    const cancelled = await runs.jobs.cancel(id, session);
    expect(cancelled.job).toMatchObject({ status: 'running', isCancelRequested: true });
    expect(cancelled.working).toMatchObject([{ id: working.id }]);
    expect(await runs.jobs.state(working.runner_id ?? '', keyOf(working))).toEqual({ isCancelRequested: true });
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
  it('releases its task, and the run goes on without it', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }]), { concurrency: 1 });
    const unwanted = await runs.takeNext();
    await runs.jobs.cancel(unwanted.id, session);
    await runs.finish(unwanted, { kind: 'cancelled' });
    expect((await runs.task('a')).status).toBe('pending');
    expect(await runs.workAll()).toEqual(['b']);
    const run = await runs.run(id);
    expect(run).toMatchObject({ status: 'failed', errorCode: 'stuck' });
    expect(run.errorMessage).toContain('Its job was cancelled, and the run does not retry it.');
  });
});

it('when all tasks are deleted under it, it ends and claims no success', async () => {
  const runs = await testRuns();
  const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }]), { concurrency: 1 });
  const working = await runs.takeNext();
  await runs.runtime.maintenance.clearBoard(session);
  await runs.finish(working, completed);
  expect(await runs.run(id)).toMatchObject({ status: 'cancelled', errorMessage: 'Goal 1 has no tasks left.' });
});

describe('when its goal is cancelled', () => {
  it('a run submits nothing more, and ends with its running job', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
    const { id } = await runs.start(goal, { concurrency: 2 });
    const working = await runs.takeNext();
    await runs.runtime.goals.edit(goal, { status: 'cancelled' }, session);
    expect(await runs.jobs.state(working.runner_id ?? '', keyOf(working))).toEqual({ isCancelRequested: true });
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

describe('a paused run', () => {
  it('starts no more tasks, lets those under way go on, and goes on with the next when it is resumed', async () => {
    const runs = await testRuns();
    const { goalRuns } = runs.runtime;
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
    const { id } = await runs.start(goal, { concurrency: 1 });
    await goalRuns.pause(goal, true, session);
    expect(await runs.underWay(id)).toEqual(['a']);
    expect(await runs.workAll()).toEqual(['a']);
    await goalRuns.sweep();
    expect(await runs.run(id)).toMatchObject({ status: 'running', progressMessage: '1 of 3 tasks done, paused' });
    await goalRuns.pause(goal, false, session);
    expect(await runs.workAll()).toEqual(['b', 'c']);
    expect((await runs.run(id)).status).toBe('completed');
    const told = await runs.runtime.db.all(
      "select type from events where subject = 'goal' and type like 'run%' order by id",
    );
    expect(told.map((event) => (event as { type: string }).type)).toEqual([
      'run_started',
      'run_paused',
      'run_resumed',
      'run_ended',
    ]);
  });

  it('goes on when the goal is run again, ends when it is cancelled, and there is none without a run', async () => {
    const runs = await testRuns();
    const { goalRuns, jobs } = runs.runtime;
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }]);
    await expect(goalRuns.pause(goal, true, session)).rejects.toThrow(`No run works on goal ${goal} "Ship it".`);
    const { id } = await runs.start(goal, { concurrency: 1 });
    await goalRuns.pause(goal, true, session);
    expect(await runs.workAll()).toEqual(['a']);
    expect((await runs.start(goal, { concurrency: 1 })).id).toBe(id);
    expect(await runs.underWay(id)).toEqual(['b']);
    await goalRuns.pause(goal, true, session);
    await jobs.cancel(id, session);
    expect((await runs.run(id)).status).toBe('cancelled');
  });
});
