import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readBudget } from '../../src/core/budget/ledger.js';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { runnerEntry } from '../support/paths.js';
import { isOnPostgres } from '../support/postgres.js';
import { tempDir } from '../support/temp-dir.js';
import { scripted, session } from './fixtures/background.js';
import { gatedProvider } from './fixtures/gated-provider.js';
import { type Goals, goals } from './fixtures/goals.js';
import { holdLock } from './fixtures/hold-lock.js';
import { shiftedClock, untilNextTry } from './fixtures/shifted-clock.js';

/** Lets the next try of every job be due now. */
const dueNow = "update jobs set run_at = 0, run_tick = 0 where status = 'pending'";

/** Nothing was done twice under one attempt, and every task was completed once. */
async function expectDoneOnce(runtime: Goals, goalId: number, runId: string): Promise<void> {
  const tasks = await runtime.tasksOf(goalId);
  expect(tasks.map(({ status, attempts, claim_token }) => [status, attempts, claim_token])).toEqual(
    tasks.map(() => ['completed', 1, 1]),
  );
  const jobs = await runtime.jobsOf(runId);
  expect(jobs.map(({ status }) => status)).toEqual(tasks.map(() => 'completed'));
  expect(new Set(jobs.map(({ task_id }) => task_id)).size).toBe(tasks.length);
  const ends = await runtime.db.all<{ count: number }>(
    `select count(*) as count from events where subject = 'task' and type = 'completed' group by subject_id`,
  );
  expect(ends.map(({ count }) => count)).toEqual(tasks.map(() => 1));
  expect(await runtime.goals.get(goalId)).toMatchObject({ status: 'completed', budget: { reserved: 0 } });
}

it('a goal is worked through in order, two tasks at a time, by processes of their own', async () => {
  const runtime = await goals();
  const slow = scripted({ pieces: ['Done.'], together: 2 });
  const goal = await runtime.goal([
    { key: 'first' },
    { key: 'left', description: slow, dependencies: ['first'] },
    { key: 'right', description: slow, dependencies: ['first'] },
    { key: 'last', dependencies: ['left', 'right'] },
  ]);
  const { id, status } = await runtime.startRun(goal);
  expect(status).toBe('running');
  const run = await runtime.ended(id);
  expect(run).toMatchObject({ status: 'completed', progress: 1 });
  expect(runtime.asked().map((key, place) => (place === 1 || place === 2 ? 'either' : key))).toEqual([
    'first',
    'either',
    'either',
    'last',
  ]);
  expect(runtime.server.requests[3]?.prompt).toMatch(/title="left" status="completed">\nDone\.\n<\/result-/);
  await expectDoneOnce(runtime, goal, id);
  // At the same time, not one after the other.
  const [left, right] = (await runtime.jobsOf(id)).slice(1, 3);
  expect(Math.max(left?.started_at ?? 0, right?.started_at ?? 0)).toBeLessThan(
    Math.min(left?.completed_at ?? 0, right?.completed_at ?? 0),
  );
  await runtime.idle();
  expect(run.inputTokens + run.outputTokens).toBe((await readBudget(runtime.db, `goal:${goal}`)).spent);
});

it('one task at a time needs one process, which does not leave before the next is handed over', async () => {
  const runtime = await goals();
  const goal = await runtime.goal(['a', 'b', 'c', 'd'].map((key) => ({ key })));
  const { id } = await runtime.startRun(goal, { concurrency: 1 });
  expect((await runtime.ended(id)).status).toBe('completed');
  expect(runtime.asked()).toEqual(['a', 'b', 'c', 'd']);
  expect(await runtime.runners()).toHaveLength(1);
});

describe('a runner of a run that is killed with SIGKILL', () => {
  it('before it has taken a task: another takes it', async () => {
    const home = tempDir();
    const mark = join(home, 'was-here');
    const entry = join(home, 'runner.mjs');
    writeFileSync(
      entry,
      `import { existsSync, writeFileSync } from 'node:fs';
       if (!existsSync(${JSON.stringify(mark)})) {
         writeFileSync(${JSON.stringify(mark)}, '');
         process.kill(process.pid, 'SIGKILL');
       }
       await import(${JSON.stringify(runnerEntry)});`,
    );
    const clock = shiftedClock();
    const runtime = await goals({ home, entry, clock });
    const goal = await runtime.goal([{ key: 'a' }, { key: 'b', dependencies: ['a'] }]);
    const { id } = await runtime.startRun(goal);
    await eventually('the first runner was there', () => existsSync(mark));
    // It has not said who it is, so that only time can tell.
    clock.pass(31_000);
    await runtime.maintenance.runOnce(undefined, session);
    expect((await runtime.runners()).map(({ state }) => state)).toContain('lost');
    expect((await runtime.ended(id)).status).toBe('completed');
    await expectDoneOnce(runtime, goal, id);
  });

  it('in the middle of an answer: the same task is tried once more, and the run goes on', async () => {
    const clock = shiftedClock();
    const runtime = await goals({ clock });
    const goal = await runtime.goal([{ key: 'a' }, { key: 'b', dependencies: ['a'] }]);
    runtime.server.script.push({ pieces: ['Half an ans'], delayMs: 20, ending: 'hang' });
    const { id } = await runtime.startRun(goal);
    const [job] = await runtime.jobsOf(id);
    const { pid } = await runtime.runnerOf(job?.id ?? '');
    await eventually('a part has arrived', () => runtime.jobs.output(job?.id ?? ''));
    process.kill(pid, 'SIGKILL');
    await eventually('it is gone', () => !isAlive(pid));
    clock.pass(untilNextTry);
    await runtime.maintenance.runOnce(undefined, session);
    expect(await runtime.row(job?.id ?? '')).toMatchObject({ status: 'pending', error_code: 'runner_lost' });
    expect(await runtime.tasksOf(goal)).toMatchObject([{ status: 'in_progress' }, { status: 'pending' }]);
    await runtime.db.run(dueNow);
    await runtime.maintenance.runOnce(undefined, session);
    expect((await runtime.ended(id)).status).toBe('completed');
    expect(runtime.asked()).toEqual(['a', 'a', 'b']);
    await expectDoneOnce(runtime, goal, id);
    const attempts = await runtime.jobs.attempts(job?.id ?? '');
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'completed']);
  });

  it('with an answer that it has not written: the task is done again, and has one result', async () => {
    const home = tempDir();
    const provider = gatedProvider(home, 'The answer');
    const runtime = await goals({ home, config: { providers: { custom: { gated: provider.path } } } });
    const goal = await runtime.goal([{ key: 'a' }, { key: 'b', dependencies: ['a'] }]);
    const { id } = await runtime.startRun(goal, { model: 'custom:gated' });
    const [job] = await runtime.jobsOf(id);
    const { pid } = await runtime.runnerOf(job?.id ?? '');
    await eventually('the model was asked', () => provider.asked() === 1);
    const release = await holdLock(runtime);
    provider.open();
    await eventually('the answer is in the hands of the runner', () => provider.answered() === 1);
    process.kill(pid, 'SIGKILL');
    release();
    await eventually('the runner is found gone', async () => {
      await runtime.maintenance.runOnce(undefined, session);
      return (await runtime.row(job?.id ?? '')).crashes === 1;
    });
    expect(await runtime.jobsOf(id)).toHaveLength(1);
    await runtime.db.run(dueNow);
    await runtime.maintenance.runOnce(undefined, session);
    expect((await runtime.ended(id)).status).toBe('completed');
    expect(provider.asked()).toBe(3);
    await expectDoneOnce(runtime, goal, id);
  });

  it('after it has written a result: the next task is handed over already', async () => {
    const runtime = await goals();
    // Or all would be done before the first is looked at.
    runtime.server.script.push(...Array.from({ length: 20 }, () => ({ isHeld: true })));
    const goal = await runtime.goal(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => ({ key })));
    const { id } = await runtime.startRun(goal, { concurrency: 1 });
    for (let done = 1; done <= 5; done++) {
      await eventually('the next is asked for', () => runtime.server.letOneGo());
      await eventually(`${done} are done`, async () => {
        return (await runtime.tasksOf(goal)).filter(({ status }) => status === 'completed').length >= done;
      });
      const live = (await runtime.runners()).find(({ state }) => state === 'running');
      if (live?.pid) process.kill(-live.pid, 'SIGKILL');
      const open = (await runtime.jobsOf(id)).filter(({ status }) => status === 'pending' || status === 'running');
      expect(open).toHaveLength(1);
      await eventually('it is gone', () => !live?.pid || !isAlive(live.pid));
      await runtime.maintenance.runOnce(undefined, session);
      await runtime.db.run(dueNow);
      await runtime.maintenance.runOnce(undefined, session);
    }
    runtime.server.letGo();
    expect((await runtime.ended(id)).status).toBe('completed');
    await expectDoneOnce(runtime, goal, id);
  });
});

it('a breaker that opens in the middle makes the run wait, and fails no task', async () => {
  const runtime = await goals();
  await runtime.db.run(
    `insert into breakers (id, failure_threshold, cooldown_seconds, created_at, updated_at)
     values ('llm:anthropic', 1, 1, 0, 0)`,
  );
  const goal = await runtime.goal([{ key: 'a' }, { key: 'b', dependencies: ['a'] }, { key: 'c', dependencies: ['a'] }]);
  runtime.server.script.push({}, { status: 529 });
  const { id } = await runtime.startRun(goal);
  await eventually('the breaker is open', async () => {
    const row = await runtime.db.get<{ trip_count: number }>('select trip_count from breakers');
    return row?.trip_count === 1;
  });
  const run = await runtime.ended(id, 25_000);
  expect(run).toMatchObject({ status: 'completed', result: { tasks: { completed: 3, failed: 0 } } });
  await expectDoneOnce(runtime, goal, id);
});

it('a breaker that is tripped by hand ends the run with its tasks ready', async () => {
  const runtime = await goals();
  await runtime.db.run(
    `insert into breakers (id, state, is_held, created_at, updated_at) values ('llm:anthropic', 'open', 1, 0, 0)`,
  );
  const goal = await runtime.goal([{ key: 'a' }, { key: 'b' }, { key: 'c' }]);
  const { id } = await runtime.startRun(goal);
  expect(await runtime.ended(id)).toMatchObject({ status: 'failed', errorCode: 'circuit_open' });
  expect((await runtime.tasksOf(goal)).map(({ status }) => status)).toEqual(['pending', 'pending', 'pending']);
  expect(runtime.asked()).toEqual([]);
});

it('runners side by side stop at the budget of the goal, which is one figure over all its runs', async () => {
  const runtime = await goals();
  const { db } = runtime;
  const description = scripted({ pieces: ['x'.repeat(400)], delayMs: 60 });
  const keys = Array.from({ length: 10 }, (_, index) => `task ${index}`);
  const goal = await runtime.goal(keys.map((key) => ({ key, description })));
  const account = `goal:${goal}`;
  let most = 0;
  await watchReservations(runtime);
  const watched = async (id: string) => {
    await eventually('the run has ended', async () => {
      const { spent, reserved } = await readBudget(db, account);
      most = Math.max(most, spent + reserved);
      // Those that wait for others to settle are not to wait for long here.
      await db.run(dueNow);
      return (await runtime.jobs.status(id)) !== 'running';
    });
    return runtime.jobs.get(id);
  };
  const first = await watched((await runtime.startRun(goal, { concurrency: 4, token_budget: 2_000 })).id);
  expect(first).toMatchObject({ status: 'failed', errorCode: 'budget_exhausted' });
  expect(most).toBeLessThanOrEqual(2_000);
  const spent = await readBudget(db, account);
  expect(spent).toMatchObject({ cap: 2_000, reserved: 0 });
  const done = (await runtime.tasksOf(goal)).filter(({ status }) => status === 'completed').length;
  expect(done).toBeGreaterThan(1);
  expect(done).toBeLessThan(10);
  // What was not done has lost nothing by it.
  const left = (await runtime.tasksOf(goal)).filter(({ status }) => status !== 'completed');
  expect(left.map(({ status, attempts, error }) => [status, attempts, error])).toEqual(
    left.map(() => ['pending', 0, null]),
  );
  await expect(runtime.startRun(goal, { token_budget: spent.spent })).rejects.toThrow(
    expect.objectContaining({ code: 'budget_exhausted' }),
  );

  most = 0;
  const second = await watched((await runtime.startRun(goal, { concurrency: 4, token_budget: 20_000 })).id);
  expect(second.status).toBe('completed');
  const whole = await readBudget(db, account);
  const used = [first, second].map(({ inputTokens, outputTokens }) => inputTokens + outputTokens);
  expect(whole.spent).toBe((used[0] ?? 0) + (used[1] ?? 0));
  expect(whole.spent).toBeGreaterThan(spent.spent);
  expect(most).toBeLessThanOrEqual(20_000);
  const { made, over } = (await db.get<{ made: number; over: number }>(
    'select count(*) as made, count(*) filter (where total > cap) as over from watched',
  )) ?? { made: 0, over: -1 };
  expect(made).toBeGreaterThanOrEqual(10);
  expect(over).toBe(0);
});

/** Notes at each reservation what is spent and promised then, whoever makes it. */
async function watchReservations({ db }: Goals): Promise<void> {
  const note = `insert into watched select spent + (select sum(tokens) from budget_reservations where account = new.account), cap
    from budgets where account = new.account and cap is not null;`;
  const head = 'create trigger watch after insert on budget_reservations';
  const trigger = isOnPostgres
    ? [
        `create function watch() returns trigger language plpgsql as $$ begin ${note} return null; end $$`,
        `${head} for each row execute function watch()`,
      ]
    : [`${head} begin ${note} end`];
  const table = 'create table watched (total integer not null, cap integer not null)';
  for (const statement of [table, ...trigger]) await db.run(statement);
  if (!isOnPostgres) return;
  onTestFinished(async () => {
    for (const what of ['function watch cascade', 'table watched']) await db.run(`drop ${what}`);
  });
}

it('a cancelled run ends its calls at the vendor, gives its tasks back, and leaves no process', async () => {
  const runtime = await goals();
  const description = scripted({ pieces: ['Half an ans'], delayMs: 20, ending: 'hang' });
  const goal = await runtime.goal(['a', 'b', 'c'].map((key) => ({ key, description })));
  const { id } = await runtime.startRun(goal);
  await eventually('both are being answered', () => runtime.asked().length === 2);
  const pids = (await runtime.runners()).map(({ pid }) => pid ?? 0);
  const run = await runtime.jobs.cancel(id, session);
  expect(run).toMatchObject({ status: 'cancelled', result: { tasks: { pending: 3 } } });
  expect(runtime.server.requests.map(({ isAborted }) => isAborted)).toEqual([true, true]);
  expect((await runtime.tasksOf(goal)).map(({ status, attempts }) => [status, attempts])).toEqual([
    ['pending', 0],
    ['pending', 0],
    ['pending', 0],
  ]);
  await runtime.idle();
  await eventually('no process is left', () => !pids.some(isAlive));
  expect(runtime.asked()).toHaveLength(2);
});

it('a goal that is cancelled in the middle ends its run, its calls and its tasks', async () => {
  const runtime = await goals();
  const description = scripted({ pieces: ['Half an ans'], delayMs: 20, ending: 'hang' });
  const goal = await runtime.goal(['a', 'b', 'c'].map((key) => ({ key, description })));
  const { id } = await runtime.startRun(goal);
  await eventually('both are being answered', () => runtime.asked().length === 2);
  await runtime.goals.edit(goal, { status: 'cancelled' }, session);
  // What the next heartbeat would find: a signal makes the runners look now.
  for (const { pid } of await runtime.runners()) process.kill(pid ?? 0, 'SIGTERM');
  expect(await runtime.ended(id)).toMatchObject({ status: 'cancelled', errorMessage: `Goal ${goal} was cancelled.` });
  expect((await runtime.tasksOf(goal)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  expect(runtime.server.requests.map(({ isAborted }) => isAborted)).toEqual([true, true]);
});

it('tasks that anyone adds in the middle are done by the same run', async () => {
  const runtime = await goals();
  const description = scripted({ pieces: ['Done.'], isHeld: true });
  const goal = await runtime.goal([{ key: 'a', description }]);
  const { id } = await runtime.startRun(goal);
  await eventually('the first is asked for', () => runtime.asked().length === 1);
  await runtime.tasks.create(
    [
      { key: 'b', title: 'b', goalId: goal, dependencies: ['a'] },
      { key: 'c', title: 'c', goalId: goal },
    ],
    session,
  );
  await runtime.maintenance.runOnce(undefined, session);
  runtime.server.letGo();
  expect((await runtime.ended(id)).status).toBe('completed');
  expect(runtime.asked().sort()).toEqual(['a', 'b', 'c']);
  await expectDoneOnce(runtime, goal, id);
});

it('a task that fails stops only what waits for it', async () => {
  const runtime = await goals();
  const goal = await runtime.goal([
    { key: 'refused', description: scripted({ stop: 'refusal', pieces: [''] }), priority: 9 },
    { key: 'blocked', dependencies: ['refused'] },
    { key: 'free' },
  ]);
  const { id } = await runtime.startRun(goal);
  const run = await runtime.ended(id);
  expect(run).toMatchObject({ status: 'failed', errorCode: 'stuck', result: { tasks: { completed: 1, failed: 1 } } });
  expect(run.errorMessage).toContain('"blocked": It waits for task');
});

it('an answer that was cut off is no result: its task fails, or goes back when it was the budget that cut it', async () => {
  const runtime = await goals();
  const cut = scripted({ pieces: ['Half an ans'], stop: 'max_tokens' });
  const goal = await runtime.goal([
    { key: 'cut', description: cut },
    { key: 'after', dependencies: ['cut'] },
  ]);
  const failed = await runtime.ended((await runtime.startRun(goal)).id);
  expect(failed).toMatchObject({ status: 'failed', errorCode: 'stuck' });
  const [task] = await runtime.tasksOf(goal);
  expect(task).toMatchObject({ status: 'failed', result: 'Half an ans' });
  expect(task?.error).toContain('The answer was cut off after');

  const poor = await runtime.goal([{ key: 'too long', description: cut }], 2_000);
  const spent = await runtime.ended((await runtime.startRun(poor)).id);
  expect(spent).toMatchObject({ status: 'failed', errorCode: 'budget_exhausted' });
  expect(await runtime.tasksOf(poor)).toMatchObject([{ status: 'pending', attempts: 0, result: null }]);
});

it('its runners are killed again and again, and every task is done once', async () => {
  const runtime = await goals();
  const { db, jobs, maintenance } = runtime;
  const description = scripted({ pieces: ['Do', 'ne.'], delayMs: 40 });
  const goal = await runtime.goal([
    ...['a', 'b', 'c', 'd'].map((key) => ({ key, description, maxAttempts: 20 })),
    ...['e', 'f', 'g'].map((key) => ({ key, description, maxAttempts: 20, dependencies: ['a', 'b'] })),
    { key: 'h', description, maxAttempts: 20, dependencies: ['e', 'f', 'g'] },
  ]);
  const { id } = await runtime.startRun(goal);
  const hasEnded = async () => (await jobs.status(id)) !== 'running';
  for (let round = 0; round < 12; round++) {
    const atWork = () =>
      db.all<{ pid: number; runner: string }>(
        `select distinct r.pid, r.id as runner from runners r join jobs j on j.runner_id = r.id
         where j.status = 'running' and r.state = 'running'`,
      );
    await eventually('somebody works, or all is done', async () => (await atWork()).length > 0 || (await hasEnded()));
    // At another moment of their work each time.
    await sleep((round % 6) * 30);
    const victims = await atWork();
    for (const { pid } of victims) if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
    await eventually('what they had is waiting again', async () => {
      await maintenance.runOnce(undefined, session);
      const held = (await atWork()).filter(({ runner }) => victims.some((victim) => victim.runner === runner));
      return held.length === 0;
    });
    // A job that has lost three runners is dead by right; here the test alone has killed them.
    await db.run("update jobs set crashes = 0 where status in ('pending', 'running')");
    await db.run(dueNow);
    await maintenance.runOnce(undefined, session);
  }
  expect((await runtime.ended(id)).status).toBe('completed');
  await expectDoneOnce(runtime, goal, id);
});
