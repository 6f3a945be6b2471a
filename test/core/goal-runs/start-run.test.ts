import { describe, expect, it } from 'vitest';
import { readBudget, spend } from '../../../src/core/budget/ledger.js';
import { readOverview } from '../../../src/core/overview/overview.js';
import { completed, session } from '../jobs/queue.js';
import { other, type Runs, testRuns } from './runs.js';

const wish = { model: 'sonnet', requires: 'anthropic', concurrency: 2, warnings: [] };

/** Nothing of a refused start is left behind. */
async function expectNothingStored(runs: Runs): Promise<void> {
  expect(await runs.runtime.db.all('select 1 from jobs')).toEqual([]);
  expect(await runs.runtime.db.all("select 1 from events where type = 'run_started'")).toEqual([]);
}

describe('starting a run', () => {
  it('is refused without tasks, saying to make some first', async () => {
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

  it('by two sessions at the same time makes one run, which both are given', async () => {
    const runs = await testRuns();
    const { goalRuns, db } = runs.runtime;
    const goalId = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }, { key: 'd' }]);
    const started = await Promise.all(
      [session, other, session, other].map((actor) => goalRuns.start({ ...wish, goalId }, actor)),
    );
    expect(new Set(started.map(({ run }) => run.id)).size).toBe(1);
    expect(started.map(({ isRepeated }) => isRepeated)).toEqual([false, true, true, true]);
    expect(await db.all("select 1 from jobs where type = 'run_goal'")).toHaveLength(1);
    expect(await runs.underWay(started[0]?.run.id ?? '')).toEqual(['a', 'b']);
  });

  it('while one goes on changes the budget alone', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }]);
    const { id, payload } = await runs.start(goal, { concurrency: 1 });
    const again = await runs.start(goal, { concurrency: 2, model: 'opus', tokenBudget: 9_000 });
    expect(again).toMatchObject({ id, payload, requestedModel: 'sonnet' });
    expect(await runs.underWay(id)).toEqual(['a']);
    expect(await readBudget(runs.runtime.db, `goal:${goal}`)).toMatchObject({ cap: 9_000 });
  });

  it('of a goal that has been run to its end before begins a new one over what is left', async () => {
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

describe('to those who look', () => {
  it('its end is an unread result, and not what each of its jobs has brought', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }]));
    await runs.workAll();
    const unread = await runs.runtime.db.all<{ id: string }>(
      "select id from jobs where read_at is null and status = 'completed'",
    );
    expect(unread).toEqual([{ id }]);
  });

  it('it is background work of who began it, and takes no process', async () => {
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

it('a purge takes ended runs with their jobs, and nothing of one that goes on', async () => {
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
