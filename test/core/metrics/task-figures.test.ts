import { describe, expect, it } from 'vitest';
import { readTaskFigures } from '../../../src/core/metrics/task-figures.js';
import type { Database } from '../../../src/store/sql.js';
import { isOnPostgres } from '../../support/postgres.js';
import { alice, type Board, bob, openBoard } from '../tasks/board.js';
import { samplesOf } from './samples.js';

const second = 1_000;
const hour = 3_600 * second;

const figuresOf = ({ db, clock }: Board, windowMs = hour) =>
  readTaskFigures(db, { from: clock.now() - windowMs, to: clock.now() });

/** A task that waits, is worked on, and ends. */
async function work(board: Board, waitMs: number, workMs: number, more: { worker?: string; goalId?: number } = {}) {
  const task = await board.add('Task', more.goalId === undefined ? {} : { goalId: more.goalId });
  board.clock.pass(waitMs);
  await board.tasks.claimNext({}, { workerId: more.worker }, alice);
  board.clock.pass(workMs);
  await board.end(task.id, 'completed');
}

describe('the figures of tasks', () => {
  it('are how many ended, and the median and the ninth tenth of how long they took and had waited', async () => {
    const board = await openBoard();
    for (let place = 1; place <= 10; place++) await work(board, place * second, place * 5 * second);
    const failed = await board.add('Fails');
    await board.end(failed.id, 'failed');
    const cancelled = await board.add('Cancelled');
    await board.end(cancelled.id, 'cancelled');
    await board.add('Open');
    expect(await figuresOf(board)).toMatchObject({
      completed: 10,
      failed: 1,
      cancelled: 1,
      cycle: { median: 25, p90: 45 },
      waiting: { median: 5, p90: 9 },
    });
  });

  it('are told by worker and by goal, those with most first', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'Ship', description: '' }, alice);
    await work(board, second, 4 * second, { worker: 'ada' });
    await work(board, second, 6 * second, { worker: 'bob', goalId: goal.id });
    await work(board, second, 8 * second, { worker: 'bob', goalId: goal.id });
    const own = await board.add('By a session');
    await board.claim(own.id, bob);
    await board.end(own.id, 'completed', bob);
    const { workers, goals } = await figuresOf(board);
    expect(workers).toEqual([
      { worker: 'bob', completed: 2, cycle: { median: 6, p90: 8 }, waiting: { median: 1, p90: 1 } },
      { worker: 'ada', completed: 1, cycle: { median: 4, p90: 4 }, waiting: { median: 1, p90: 1 } },
      { worker: bob.holder, completed: 1, cycle: { median: 0, p90: 0 }, waiting: { median: 0, p90: 0 } },
    ]);
    expect(goals).toEqual([
      { goalId: goal.id, name: 'Ship', completed: 2, cycle: { median: 6, p90: 8 }, waiting: { median: 1, p90: 1 } },
    ]);
  });

  it('are of those that ended within the window, its end included', async () => {
    const board = await openBoard();
    expect(await figuresOf(board)).toMatchObject({ completed: 0, cycle: null, waiting: null, workers: [], goals: [] });
    await work(board, 0, second);
    expect(await figuresOf(board)).toMatchObject({ completed: 1 });
    board.clock.pass(hour - 1);
    expect(await figuresOf(board)).toMatchObject({ completed: 1 });
    board.clock.pass(1);
    expect(await figuresOf(board)).toMatchObject({ completed: 0, cycle: null });
    board.clock.stepWallClock(-2 * hour);
    expect(await figuresOf(board)).toMatchObject({ completed: 0 });
  });

  it('are among the metrics of Prometheus, with the tasks in each state and the slots that are held', async () => {
    const board = await openBoard();
    await work(board, 2 * second, 10 * second);
    await board.add('Open');
    await board.slots.claim('ada', { ...alice, sessionId: undefined });
    expect(await samplesOf(board.db, board.clock.now())).toMatchObject({
      'tasks{state=completed}': 1,
      'tasks{state=ready}': 1,
      'tasks_ended_last_hour{status=completed}': 1,
      'tasks_ended_last_hour{status=failed}': 0,
      'task_cycle_seconds{percentile=50}': 10,
      'task_cycle_seconds{percentile=90}': 10,
      'task_waiting_seconds{percentile=50}': 2,
      'worker_slots_held{}': 1,
    });
  });
});

/** 100,000 tasks that ended, their times a known spread: task i took i milliseconds and waited half as long. */
async function fill(db: Database): Promise<void> {
  await db.run(
    `insert into goals (name, description, project, created_at, updated_at)
     with recursive n (i) as (select 1 union all select i + 1 from n where i < 50)
     select 'Goal ' || i, '', '', 1, 1 from n`,
  );
  await db.run(
    `insert into tasks (title, description, goal_id, status, worker_id, claimed_by, created_at, updated_at, started_at, completed_at)
     with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000)
     select 'Task ' || i, printf('%0800d', i), 1 + i % 50, case when i % 10 = 0 then 'failed' else 'completed' end,
       'worker-' || (i % 8), 'session:x', 1000000, 1, 1000000 + i / 2, 1000000 + i / 2 + i from n`,
  );
}

describe.skipIf(isOnPostgres)('over 100,000 tasks', () => {
  it('they are read off one index, and differ from the exact ones by less than the width of a bucket', async () => {
    const board = await openBoard();
    const { db } = board;
    await fill(db);
    const statements: { text: string; values: unknown[] }[] = [];
    const { all } = db;
    db.all = ((text: string, ...values: never[]) => {
      statements.push({ text, values });
      return all(text, ...values);
    }) as typeof all;
    const { cycle, waiting, workers } = await readTaskFigures(db, { from: 0, to: 2_000_000 });
    db.all = all;
    const isNear = (found: number | undefined, exact: number) => Math.abs((found ?? 0) / exact - 1) < 0.05;
    expect([isNear(cycle?.median, 50), isNear(cycle?.p90, 90)]).toEqual([true, true]);
    expect([isNear(waiting?.median, 25), isNear(waiting?.p90, 45)]).toEqual([true, true]);
    expect(workers).toHaveLength(5);
    expect(statements).toHaveLength(5);
    for (const { text, values } of statements) {
      const plan = await db.all<{ detail: string }>(`explain query plan ${text}`, ...(values as never[]));
      const reads = plan.map(({ detail }) => detail).filter((detail) => /^(SCAN|SEARCH) tasks/.test(detail));
      expect(reads, text).toEqual([expect.stringContaining('SEARCH tasks USING COVERING INDEX tasks_ended')]);
    }
  }, 120_000);
});
