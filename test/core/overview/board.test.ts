import { describe, expect, test } from 'vitest';
import {
  type BoardState,
  boardStates,
  readBoard,
  readBoardList,
  readNeighbours,
} from '../../../src/core/overview/board.js';
import { readBoardChoices } from '../../../src/core/overview/board-choices.js';
import { isOnPostgres } from '../../support/postgres.js';
import { alice, bob, openBoard, shell } from '../tasks/board.js';

const minute = 60_000;

async function mixedBoard() {
  const board = await openBoard();
  const goal = await board.goals.create({ name: 'Goal', description: '' }, alice);
  const inGoal = { goalId: goal.id };
  const first = await board.add('First', { key: 'first', ...inGoal });
  const second = await board.add('Second', { dependencies: ['first'], ...inGoal });
  const urgent = await board.add('Urgent', { priority: 9 });
  const late = await board.add('Late', { deadlineAt: board.clock.now() + minute });
  const held = await board.add('Held', { notBefore: board.clock.now() + 2 * minute });
  const taken = await board.add('Taken', { description: 'with a Needle' });
  const [done, broken, off] = [await board.add('Done'), await board.add('Broken'), await board.add('Off')];
  const claim = { workerId: 'hedy' };
  await board.tasks.updateStatus({ task: taken.id, status: 'in_progress', claim }, shell);
  await board.end(done.id, 'completed');
  await board.end(broken.id, 'failed');
  await board.end(off.id, 'cancelled');
  return { board, goal, ids: { first, second, urgent, late, held, taken, done, broken, off } };
}

const idsOf = (columns: Record<BoardState, { id: number }[]>) =>
  Object.fromEntries(boardStates.map((state) => [state, columns[state].map(({ id }) => id)]));

describe('the board by state', () => {
  test('has every task in one column, in the order in which one asks for it', async () => {
    const { board, ids } = await mixedBoard();
    const { columns, counts, overdue } = await readBoard(board, {}, 10);
    expect(idsOf(columns)).toEqual({
      ready: [ids.urgent.id, ids.first.id, ids.late.id],
      waiting: [ids.second.id, ids.held.id],
      in_progress: [ids.taken.id],
      completed: [ids.done.id],
      failed: [ids.broken.id],
      cancelled: [ids.off.id],
    });
    expect(counts).toEqual({ ready: 3, waiting: 2, in_progress: 1, completed: 1, failed: 1, cancelled: 1 });
    expect(overdue).toBe(0);
    expect(columns.in_progress).toMatchObject([{ worker: 'hedy', claimedAt: board.clock.now(), attempts: 1 }]);
    expect(columns.waiting).toMatchObject([{ waitsFor: 1 }, { notBefore: board.clock.now() + 2 * minute }]);
  });

  test('knows what has become ready or late since, though nobody has claimed anything', async () => {
    const { board, ids } = await mixedBoard();
    board.clock.pass(2 * minute);
    const { columns, counts, overdue } = await readBoard(board, {}, 10);
    expect(counts).toMatchObject({ ready: 4, waiting: 1 });
    expect(overdue).toBe(1);
    expect(columns.ready.map(({ id }) => id)).toEqual([ids.urgent.id, ids.late.id, ids.first.id, ids.held.id]);
    expect(columns.ready[1]).toMatchObject({ isOverdue: true });
    expect((await readBoard(board, { isOverdue: true }, 10)).counts).toMatchObject({ ready: 1, waiting: 0, failed: 0 });
    // What has ended is late no more.
    await board.end(ids.late.id, 'completed');
    expect((await readBoard(board, {}, 10)).overdue).toBe(0);
  });

  test('counts all that pass its filter, however few are shown', async () => {
    const { board, goal, ids } = await mixedBoard();
    const none = { ready: 0, waiting: 0, in_progress: 0, completed: 0, failed: 0, cancelled: 0 };
    expect((await readBoard(board, { goalId: goal.id }, 1)).counts).toEqual({ ...none, ready: 1, waiting: 1 });
    expect((await readBoard(board, { worker: 'hedy' }, 1)).counts).toEqual({ ...none, in_progress: 1 });
    expect((await readBoard(board, { text: 'nEEDLE' }, 1)).counts).toEqual({ ...none, in_progress: 1 });
    expect((await readBoard(board, { project: '/elsewhere' }, 1)).counts).toEqual(none);
    const { counts, columns } = await readBoard(board, { project: '' }, 1);
    expect(counts.ready).toBe(3);
    expect(columns.ready.map(({ id }) => id)).toEqual([ids.urgent.id]);
  });

  test('keeps the worker of what has ended, and tells of a claim when this one was made', async () => {
    const { board, ids } = await mixedBoard();
    board.clock.pass(20 * minute);
    await board.tasks.lapse();
    const { claimToken } = await board.claim(ids.taken.id, bob);
    expect((await readBoard(board, {}, 5)).columns.in_progress).toMatchObject([
      { worker: 'session:bob', claimedAt: board.clock.now(), attempts: 2 },
    ]);
    await board.tasks.updateStatus({ task: ids.taken.id, status: 'completed', claimToken }, bob);
    const ended = await readBoard(board, { worker: 'session:bob' }, 5);
    expect(ended.columns.completed).toMatchObject([{ id: ids.taken.id, worker: 'session:bob', claimedAt: null }]);
  });

  test('is listed page by page, newest first', async () => {
    const { board, ids } = await mixedBoard();
    const page = async (beforeId?: number) =>
      (await readBoardList(board, { limit: 5, ...(beforeId === undefined ? {} : { beforeId }) })).tasks;
    const first = await page();
    const second = await page(first.at(-1)?.id);
    expect([...first, ...second].map(({ id }) => id)).toEqual(
      Object.values(ids)
        .map(({ id }) => id)
        .reverse(),
    );
    const ready = await readBoardList(board, { state: 'ready', limit: 5 });
    expect(ready.tasks.map(({ id }) => id)).toEqual([ids.late.id, ids.urgent.id, ids.first.id]);
    expect(ready.counts.completed).toBe(1);
  });

  test('knows the tasks on both sides of one, and its goal', async () => {
    const { board, ids } = await mixedBoard();
    expect(await readNeighbours(board.db, ids.second.id, 5)).toMatchObject({
      dependencies: [{ id: ids.first.id, state: 'ready' }],
      dependents: [],
      goalName: 'Goal',
    });
    expect(await readNeighbours(board.db, ids.urgent.id, 5)).toEqual({
      dependencies: [],
      dependents: [],
      goalName: undefined,
    });
  });
});

test('a board can be filtered by the projects, goals and workers that there are', async () => {
  const board = await openBoard();
  expect(await readBoardChoices(board.db)).toEqual({ goals: [], projects: [], workers: [] });
  for (const project of ['/b', '/a', '/b', '']) await board.add('Task', {}, { holder: 'session:x', project });
  await board.take({ holder: 'session:x', project: '/b' });
  await board.slots.claim('w', { ...shell, sessionId: undefined });
  const old = await board.goals.create({ name: 'Old', description: '' }, alice);
  const open = await board.goals.create({ name: 'Open', description: '' }, alice);
  await board.goals.edit(old.id, { status: 'cancelled' }, alice);
  expect(await readBoardChoices(board.db)).toEqual({
    goals: [
      { id: open.id, name: 'Open', status: 'active' },
      { id: old.id, name: 'Old', status: 'cancelled' },
    ],
    projects: ['/a', '/b'],
    workers: ['session:x', 'w'],
  });
});

/** What is asked with every change while somebody looks; each must be read off an index, in order. */
test.skipIf(isOnPostgres).each([
  [
    'the columns of what has ended',
    "status = 'failed' and status in ('completed', 'failed', 'cancelled') order by completed_at desc, id desc",
    'tasks_ended',
  ],
  ['the late ones', "is_overdue = 1 and status in ('pending', 'in_progress')", 'tasks_overdue'],
])('%s are read off an index', async (_, question, index) => {
  const board = await openBoard();
  const plan = await board.db.all<{ detail: string }>(
    `explain query plan select id from tasks where ${question} limit 9`,
  );
  expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining(index)]);
});
