import { describe, expect, it } from 'vitest';
import { readBudget } from '../../../src/core/budget/ledger.js';
import { completed, failing, session } from '../jobs/queue.js';
import { other, testRuns } from './runs.js';

/** Two after one, and one after both. */
const diamond = [
  { key: 'first' },
  { key: 'left', dependencies: ['first'] },
  { key: 'right', dependencies: ['first'] },
  { key: 'last', dependencies: ['left', 'right'] },
];

describe('a run of a goal', () => {
  it('submits jobs for ready tasks up to its concurrency, and the next when one is done', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'urgent', priority: 9 }, { key: 'c' }]);
    const { id } = await runs.start(goal, { concurrency: 2 });
    expect(await runs.underWay(id)).toEqual(['urgent', 'a']);
    expect(await runs.task('urgent')).toMatchObject({
      status: 'in_progress',
      claimed_by: expect.stringMatching(/^job:/),
    });
    await runs.workOne();
    expect(await runs.underWay(id)).toEqual(['a', 'b']);
    expect(await runs.run(id)).toMatchObject({ progress: 0.25, progressMessage: '1 of 4 tasks done, 2 under way' });
  });

  it('ends completed with its goal, and its result lists the end of each task', async () => {
    const runs = await testRuns();
    const goal = await runs.goal(diamond);
    const { id } = await runs.start(goal);
    await runs.workOne({ ...completed, inputTokens: 10, outputTokens: 5 });
    expect(await runs.workAll()).toEqual(['left', 'right', 'last']);
    const run = await runs.run(id);
    expect(run).toMatchObject({ status: 'completed', progress: 1, inputTokens: 10, outputTokens: 5, errorCode: null });
    expect(run.result).toMatchObject({
      goal_id: goal,
      goal_status: 'completed',
      tasks: { total: 4, completed: 4, pending: 0 },
      tokens: { input: 10, output: 5 },
    });
    const { worked } = run.result as { worked: { title: string; status: string; job_status: string }[] };
    expect(worked.map(({ title, status }) => [title, status])).toEqual(
      ['first', 'left', 'right', 'last'].map((title) => [title, 'completed']),
    );
    expect(await runs.jobs.output(id)).toMatch(
      /^Goal 1 "Ship it" is completed: 4 of 4 tasks completed, 15 tokens used by this run\.\nTask 1 "first" is completed\./,
    );
    expect(await runs.events(id)).toEqual(['started', 'completed']);
    expect(await runs.events(String(goal))).toEqual(expect.arrayContaining(['run_started', 'completed', 'run_ended']));
  });

  it('says an error that several jobs share once, with how many have it', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }]), { concurrency: 3 });
    for (let count = 0; count < 3; count++) {
      await runs.workOne({ kind: 'failed', code: 'refused', message: 'It refused.', isTransient: false });
    }
    const { worked, left } = (await runs.run(id)).result as {
      worked: { error?: string; jobs_with_this_error?: number }[];
      left: { because: string }[];
    };
    expect(worked.flatMap(({ error }) => error ?? [])).toEqual(['It refused.']);
    expect(worked[0]?.jobs_with_this_error).toBe(3);
    expect(left.map(({ because }) => because)).toEqual([
      expect.stringMatching(/^It failed: Job \S+ failed: It refused\.$/),
      'It failed for the same reason as task 1.',
      'It failed for the same reason as task 1.',
    ]);
  });

  it('has no runner: it takes no permit, a rescue ignores it, and a runner gets only its jobs', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a' }]), { concurrency: 1 });
    runs.clock.pass(90 * 86_400_000);
    expect(await runs.rescue()).toEqual([]);
    expect(await runs.row(id)).toMatchObject({ status: 'running', runner_id: null });
    expect(await runs.jobs.permitRunner(session)).toBeDefined();
    expect(await runs.workAll()).toEqual(['a']);
    expect((await runs.run(id)).status).toBe('completed');
  });

  it('includes tasks that are added later, also by another job for its goal', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }]);
    const { id } = await runs.start(goal);
    await runs.runtime.tasks.create([{ title: 'b', key: 'b', goalId: goal }], session);
    expect(await runs.underWay(id)).toEqual(['a']);
    await runs.runtime.goalRuns.sweep();
    expect(await runs.underWay(id)).toEqual(['a', 'b']);
    await runs.runtime.tasks.create([{ title: 'c', key: 'c', goalId: goal }], session);
    expect(await runs.workAll()).toEqual(['a', 'b', 'c']);
    expect((await runs.run(id)).status).toBe('completed');
  });

  it('tries a task within its job as often as the task allows, and no job twice for one task', async () => {
    const runs = await testRuns();
    const { id } = await runs.start(await runs.goal([{ key: 'a', maxAttempts: 2 }]));
    await runs.workOne(failing(true));
    expect(await runs.task('a')).toMatchObject({ status: 'in_progress', attempts: 1 });
    runs.clock.pass(600_000);
    await runs.workOne(failing(true));
    expect((await runs.task('a')).status).toBe('failed');
    expect(await runs.run(id)).toMatchObject({ status: 'failed', errorCode: 'stuck' });
    const made = await runs.runtime.db.all('select 1 from jobs where parent_id = ?', id);
    expect(made).toHaveLength(1);
  });
});

describe('a task of a run that fails', () => {
  it('applies the policy of each dependent, and the rest goes on', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([
      { key: 'bad', priority: 10 },
      { key: 'blocked', dependencies: ['bad'] },
      { key: 'skipped', dependencies: ['bad'], onDependencyFailure: 'skip' },
      { key: 'cancelled', dependencies: ['bad'], onDependencyFailure: 'cancel' },
      { key: 'regardless', dependencies: ['bad'], onDependencyFailure: 'run' },
      { key: 'free' },
    ]);
    const { id } = await runs.start(goal, { concurrency: 1 });
    expect(await runs.workOne({ kind: 'failed', code: 'refused', message: 'No.', isTransient: false })).toBe('bad');
    expect((await runs.workAll()).sort()).toEqual(['free', 'regardless']);
    const run = await runs.run(id);
    expect(run).toMatchObject({ status: 'failed', errorCode: 'stuck' });
    const bad = (await runs.task('bad')).id;
    expect(run.errorMessage).toContain(`Task ${bad} "bad": It failed:`);
    expect(run.errorMessage).toContain('"blocked": It waits for task bad (failed).');
    expect(run.errorMessage).toContain('call run_goal again');
    expect(run.result).toMatchObject({ tasks: { completed: 2, failed: 1, cancelled: 2, pending: 1 } });
  });

  it('because the model says that it cannot be done is failed, and its text is not given to its dependents', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b', dependencies: ['a'] }]);
    const { id } = await runs.start(goal);
    await runs.workOne({ kind: 'completed', result: {}, output: '\nCANNOT: The file is not given.\nSorry.' });
    expect(await runs.task('a')).toMatchObject({
      status: 'failed',
      error: 'The model could not do it: The file is not given.\nSorry.',
    });
    expect(await runs.run(id)).toMatchObject({ status: 'failed', errorCode: 'stuck' });
    // The same goes for a job that a caller submitted with a prompt of its own.
    const other = await runs.running({
      type: 'llm',
      task: (await runs.runtime.tasks.create([{ title: 'c' }], session))[0]?.id,
    });
    await runs.finish(other, { kind: 'completed', result: {}, output: '**Cannot:** No tin opener.' });
    expect(await runs.runtime.tasks.get(other.task_id ?? 0)).toMatchObject({
      status: 'failed',
      error: 'The model could not do it: No tin opener.',
    });
  });

  it('and is reopened: another run does only what is left', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'done' }, { key: 'bad' }, { key: 'after', dependencies: ['bad'] }]);
    const first = await runs.start(goal, { concurrency: 1 });
    await runs.workOne();
    await runs.workOne({ kind: 'failed', code: 'refused', message: 'No.', isTransient: false });
    expect((await runs.run(first.id)).status).toBe('failed');
    await runs.runtime.tasks.updateStatus({ task: 'bad', status: 'pending' }, session);
    const second = await runs.start(goal);
    expect(second.id).not.toBe(first.id);
    expect(await runs.workAll()).toEqual(['bad', 'after']);
    expect((await runs.run(second.id)).status).toBe('completed');
  });

  it('and whose job is retried by hand completes, and the run goes on with its dependents', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([
      { key: 'bad', priority: 9 },
      { key: 'slow' },
      { key: 'after', dependencies: ['bad'] },
    ]);
    const { id } = await runs.start(goal, { concurrency: 2 });
    const bad = await runs.takeNext();
    const slow = await runs.takeNext();
    await runs.finish(bad, { kind: 'failed', code: 'refused', message: 'No.', isTransient: false });
    await runs.jobs.retry(bad.id, {}, session);
    await runs.workOne();
    expect(await runs.underWay(id)).toEqual(['slow', 'after']);
    await runs.finish(slow, completed);
    await runs.workAll();
    expect((await runs.run(id)).status).toBe('completed');
  });
});

describe('a run that finds nothing ready', () => {
  it('waits while a session is at work, and goes on when that is done', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'by hand' }, { key: 'after', dependencies: ['by hand'] }]);
    await runs.runtime.tasks.updateStatus({ task: 'by hand', status: 'in_progress' }, other);
    const { id } = await runs.start(goal);
    expect(await runs.run(id)).toMatchObject({
      status: 'running',
      progressMessage: '0 of 2 tasks done, waiting for others',
    });
    await runs.runtime.goalRuns.sweep();
    expect(await runs.underWay(id)).toEqual([]);
    await runs.runtime.tasks.updateStatus({ task: 'by hand', status: 'completed', result: 'Mine.' }, other);
    await runs.runtime.goalRuns.sweep();
    expect(await runs.underWay(id)).toEqual(['after']);
    await runs.workAll();
    expect((await runs.run(id)).status).toBe('completed');
  });

  it('takes over the tasks of a dead session', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }]);
    await runs.runtime.tasks.updateStatus({ task: 'a', status: 'in_progress' }, other);
    const { id } = await runs.start(goal);
    expect(await runs.underWay(id)).toEqual([]);
    runs.clock.pass(61_000);
    await runs.runtime.goalRuns.sweep();
    expect(await runs.underWay(id)).toEqual(['a']);
  });

  it('waits for the time before which a task may not start', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'later', notBefore: runs.clock.now() + 60_000 }]);
    const { id } = await runs.start(goal);
    expect((await runs.run(id)).status).toBe('running');
    runs.clock.pass(60_000);
    await runs.runtime.goalRuns.sweep();
    expect(await runs.underWay(id)).toEqual(['later']);
  });

  it('waits for a task of another goal only while someone works on it', async () => {
    const runs = await testRuns();
    const there = await runs.goal([{ key: 'theirs' }]);
    const here = await runs.goal([{ key: 'ours', dependencies: ['theirs'] }]);
    const stuck = await runs.start(here);
    expect(stuck).toMatchObject({ status: 'failed', errorCode: 'stuck' });
    expect(stuck.errorMessage).toContain('It waits for task theirs (pending).');
    await runs.start(there);
    const waiting = await runs.start(here);
    expect(waiting.status).toBe('running');
    await runs.workAll();
    await runs.runtime.goalRuns.sweep();
    await runs.workAll();
    expect((await runs.run(waiting.id)).status).toBe('completed');
  });

  it('is ended when what it waited for has failed', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'by hand' }, { key: 'after', dependencies: ['by hand'] }]);
    await runs.runtime.tasks.updateStatus({ task: 'by hand', status: 'in_progress' }, other);
    const { id } = await runs.start(goal);
    await runs.runtime.tasks.updateStatus({ task: 'by hand', status: 'failed', error: 'Broken.' }, other);
    await runs.runtime.goalRuns.sweep();
    expect(await runs.run(id)).toMatchObject({ status: 'failed', errorCode: 'stuck' });
    expect((await runs.run(id)).errorMessage).toContain('It failed: Broken.');
  });

  it('goes on at once when a job that was given a task of its goal by hand has ended', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'handed over' }, { key: 'after', dependencies: ['handed over'] }]);
    const job = await runs.running({ type: 'llm', task: 'handed over' });
    const { id } = await runs.start(goal);
    expect(await runs.underWay(id)).toEqual([]);
    await runs.finish(job, completed);
    expect(await runs.underWay(id)).toEqual(['after']);
  });
});

it('goes on at once when a job by hand for its goal was never tried, because another had failed', async () => {
  const runs = await testRuns();
  const goal = await runs.goal([{ key: 'handed over' }]);
  const first = await runs.running({ type: 'llm' });
  await runs.submit({ type: 'llm', task: 'handed over', dependsOn: [first.id] });
  const { id } = await runs.start(goal);
  expect(await runs.underWay(id)).toEqual([]);
  await runs.finish(first, failing(false));
  expect(await runs.underWay(id)).toEqual(['handed over']);
});

describe('a failure that every task would meet', () => {
  it.each([
    ['circuit_open', 'a breaker that was tripped by hand'],
    ['auth', 'a key that is refused'],
    ['not_configured', 'a key that is gone'],
    ['budget_exhausted', 'a budget that is reached'],
  ])('ends the run and leaves the tasks ready (%s: %s)', async (code) => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }, { key: 'd' }]);
    const { id } = await runs.start(goal, { concurrency: 3 });
    const [a, b] = [await runs.takeNext(), await runs.takeNext()];
    await runs.finish(a, { kind: 'failed', code, message: 'Not now.', isTransient: false });
    expect(await runs.run(id)).toMatchObject({ status: 'running' });
    expect(await runs.underWay(id)).toEqual(['b']);
    for (const key of ['a', 'c', 'd']) {
      expect(await runs.task(key)).toMatchObject({ status: 'pending', attempts: 0, error: null });
    }
    await runs.finish(b, completed);
    const run = await runs.run(id);
    expect(run).toMatchObject({ status: 'failed', errorCode: code });
    expect(run.errorMessage).toContain('Not now.');
    expect(run.result).toMatchObject({ tasks: { completed: 1, failed: 0, pending: 3 } });
  });

  it('stops before a task whose prompt the budget does not allow', async () => {
    const runs = await testRuns();
    const goal = await runs.goal([{ key: 'small' }, { key: 'huge', description: 'x'.repeat(9_000) }], 2_500);
    const { id } = await runs.start(goal, { concurrency: 2 });
    expect(await runs.underWay(id)).toEqual(['small']);
    await runs.workOne();
    const run = await runs.run(id);
    expect(run).toMatchObject({ status: 'failed', errorCode: 'budget_exhausted' });
    expect(run.errorMessage).toContain('0 of 2500 tokens are spent');
    expect((await runs.task('huge')).status).toBe('pending');
    expect(await readBudget(runs.runtime.db, `goal:${goal}`)).toMatchObject({ reserved: 0 });
  });
});
