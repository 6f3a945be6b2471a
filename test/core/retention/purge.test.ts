import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { nameSession } from '../../../src/core/coordination/sessions.js';
import { type Purged, purge } from '../../../src/core/retention/purge.js';
import { alice, type Board, bob, openBoard } from '../tasks/board.js';

const day = 24 * 3_600_000;

/** Purges what ended more than a day ago. */
function purgeOld(board: Board): Promise<Purged> {
  const change = { at: board.clock.now(), actor: alice };
  return purge(board.db, board.clock.now() - day, change);
}

const idsOf = async (board: Board, table: 'goals' | 'tasks' | 'jobs' | 'sessions' | 'runners') =>
  (await board.db.all<{ id: number | string }>(`select id from ${table} order by id`)).map((row) => row.id);

interface JobParts {
  status: string;
  endedAt?: number;
  taskId?: number;
  goalId?: number;
  runnerId?: string;
}

async function addJob(
  board: Board,
  id: string,
  { status, endedAt, taskId, goalId, runnerId }: JobParts,
): Promise<void> {
  const now = board.clock.now();
  await board.db.run(
    `insert into jobs (id, type, status, payload, run_at, timeout_seconds, max_attempts, attempt_token, runner_id, task_id,
       goal_id, created_at, updated_at, completed_at)
     values (?, 'generic', ?, '{}', ?, 60, 1, 'token', ?, ?, ?, ?, ?, ?)`,
    ...[id, status, now, runnerId ?? null, taskId ?? null, goalId ?? null, now, now, endedAt ?? null],
  );
}

describe('a purge', () => {
  test('deletes tasks that ended before the time, and none that ended after it', async () => {
    const board = await openBoard();
    const [completed, failed, cancelled, open, claimed] = await Promise.all(
      ['completed', 'failed', 'cancelled', 'open', 'claimed'].map((title) => board.add(title)),
    );
    await board.end(completed?.id ?? 0, 'completed');
    await board.end(failed?.id ?? 0, 'failed');
    await board.end(cancelled?.id ?? 0, 'cancelled');
    await board.claim(claimed?.id ?? 0, bob);
    board.clock.pass(2 * day);
    const recent = await board.add('recent');
    await board.end(recent.id, 'completed');
    expect(await purgeOld(board)).toMatchObject({ tasks: 3 });
    expect(await idsOf(board, 'tasks')).toEqual([open?.id, claimed?.id, recent.id]);
    expect(await purgeOld(board)).toMatchObject({ tasks: 0, events: 0 });
  });

  test('keeps all that open work depends on, through any number of others', async () => {
    const board = await openBoard();
    const a = await board.add('a');
    const b = await board.add('b', { dependencies: [a.id] });
    const open = await board.add('open', { dependencies: [b.id] });
    const side = await board.add('side', { dependencies: [a.id] });
    const failed = await board.add('failed');
    const stopped = await board.add('stopped', { dependencies: [failed.id], onDependencyFailure: 'cancel' });
    const blocked = await board.add('blocked', { dependencies: [stopped.id] });
    for (const id of [a.id, b.id, side.id]) await board.end(id, 'completed');
    await board.end(failed.id, 'failed');
    board.clock.pass(2 * day);
    expect(await purgeOld(board)).toMatchObject({ tasks: 1 });
    expect(await idsOf(board, 'tasks')).toEqual([a.id, b.id, open.id, failed.id, stopped.id, blocked.id]);
    await board.end(failed.id, 'pending');
    expect(await board.statusOf(stopped.id, blocked.id)).toEqual(['pending', 'pending']);
  });

  test('takes a finished chain of a thousand tasks with it in one go', async () => {
    const board = await openBoard();
    const chain = Array.from({ length: 1_000 }, (_, index) => ({
      title: `T${index}`,
      key: `t${index}`,
      dependencies: index === 0 ? [] : [`t${index - 1}`],
    }));
    await board.tasks.create(chain, alice);
    for (let count = 0; count < 1_000; count++) await board.end((await board.take(alice)).id, 'completed');
    board.clock.pass(2 * day);
    expect(await purgeOld(board)).toMatchObject({ tasks: 1_000 });
    expect(await board.db.all('select * from task_dependencies')).toEqual([]);
  });

  test('deletes ended goals with their tasks and ledger, and leaves an active goal all of its tasks', async () => {
    const board = await openBoard();
    const over = await board.goals.create({ name: 'Over', description: '', tokenBudget: 9 }, alice);
    const active = await board.goals.create({ name: 'Active', description: '', tokenBudget: 9 }, alice);
    const last = await board.add('last', { goalId: over.id });
    const done = await board.add('done', { goalId: active.id });
    await board.add('open', { goalId: active.id });
    await board.end(last.id, 'completed');
    await board.end(done.id, 'completed');
    board.clock.pass(2 * day);
    expect(await purgeOld(board)).toMatchObject({ goals: 1, tasks: 1 });
    expect(await idsOf(board, 'goals')).toEqual([active.id]);
    expect((await board.goals.get(active.id)).progress).toMatchObject({ total: 2, completed: 1 });
    expect(await board.db.all('select account from budgets')).toEqual([{ account: `goal:${active.id}` }]);
  });

  test('deletes ended jobs with all that hangs on them, and names their files', async () => {
    const board = await openBoard();
    const old = board.clock.now();
    const task = await board.add('Worked on by a job');
    await addJob(board, 'old', { status: 'completed', endedAt: old });
    await addJob(board, 'needed', { status: 'completed', endedAt: old });
    await addJob(board, 'open', { status: 'pending' });
    await addJob(board, 'recent', { status: 'failed', endedAt: old + 2 * day, taskId: task.id });
    await board.db.run("insert into job_dependencies (job_id, depends_on) values ('open', 'needed')");
    await board.db.run("insert into job_logs (job_id, at, level, message) values ('old', 1, 'info', 'x')");
    await board.db.run(
      "insert into job_artifacts (job_id, name, path, size_bytes, sha256, created_at) values ('old', 'a', '/x/a', 1, '', 1)",
    );
    await board.end(task.id, 'completed');
    board.clock.pass(2 * day);
    expect(await purgeOld(board)).toMatchObject({ jobs: 1, tasks: 0, artifactPaths: ['/x/a'] });
    expect(await idsOf(board, 'jobs')).toEqual(['needed', 'open', 'recent']);
    expect(await board.db.all('select * from job_logs')).toEqual([]);
  });

  test('deletes sessions and runners that ended long ago and that nothing names any more', async () => {
    const board = await openBoard();
    const old = board.clock.now();
    for (const [id, state] of Object.entries({ gone: 'exited', named: 'lost', live: 'running' })) {
      await board.db.run(
        "insert into runners (id, ability, state, created_at, created_tick, created_boot_id, ended_at) values (?, '', ?, ?, 1, ?, ?)",
        ...[id, state, old, 'boot-1', state === 'running' ? null : old],
      );
    }
    await addJob(board, 'recent', { status: 'failed', endedAt: old + 2 * day, runnerId: 'named' });
    const [ended, living] = [nameSession({ project: '' }), nameSession({ project: '' })];
    await board.sessions.begin(ended, { project: '' });
    await board.sessions.begin(living, { project: '' });
    for (const { text, values } of board.sessions.ending(ended)) await board.db.run(text, ...values);
    board.clock.pass(2 * day);
    expect(await purgeOld(board)).toMatchObject({ sessions: 1, runners: 1 });
    expect(await idsOf(board, 'sessions')).toEqual([living.id]);
    expect(await idsOf(board, 'runners')).toEqual(['live', 'named']);
  });

  test('cuts the log, but not the history of what is still open', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const open = await board.add('open', { goalId: goal.id });
    const done = await board.add('done');
    await board.end(done.id, 'completed');
    board.clock.pass(2 * day);
    expect(await purgeOld(board)).toMatchObject({ events: 3 });
    expect(await board.history('task', done.id)).toEqual([]);
    expect(await board.history('task', open.id)).toEqual(['created']);
    expect(await board.history('goal', goal.id)).toEqual(['created']);
    expect(await board.history('runtime', 'board')).toEqual(['purged']);
  });

  test('works in short transactions, between which others write', async () => {
    const board = await openBoard();
    const tasks = Array.from({ length: 1_000 }, (_, index) => ({ title: `T${index}` }));
    await board.tasks.create(tasks, alice);
    for (let count = 0; count < 1_000; count++) await board.end((await board.take(alice)).id, 'completed');
    board.clock.pass(2 * day);
    let isOver = false;
    const purging = purgeOld(board).finally(() => {
      isOver = true;
    });
    let written = 0;
    while (!isOver) {
      await board.add('Meanwhile');
      written++;
      await turn();
    }
    expect((await purging).tasks).toBe(1_000);
    expect(written).toBeGreaterThan(5);
    expect(await board.tasks.list({ limit: 200 })).toHaveLength(Math.min(written, 200));
  });
});
