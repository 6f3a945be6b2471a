import { expect, test } from 'vitest';
import { readGoalGraph, readGoals } from '../../../src/core/overview/goals.js';
import { alice, openBoard } from '../tasks/board.js';

test('goals come newest first with their tasks by state and their tokens', async () => {
  const board = await openBoard();
  const one = await board.goals.create({ name: 'One', description: 'd', tokenBudget: 100 }, alice);
  const two = await board.goals.create({ name: 'Two', description: '' }, alice);
  const task = await board.add('A', { goalId: one.id });
  await board.add('B', { goalId: one.id, dependencies: [task.id] });
  await board.tasks.updateStatus({ task: task.id, status: 'completed', tokensUsed: 30 }, alice);
  const lines = await readGoals(board.db, { limit: 5 });
  expect(lines.map(({ id }) => id)).toEqual([two.id, one.id]);
  expect(lines[1]).toMatchObject({
    summary: { counts: { ready: 1, completed: 1, waiting: 0 }, overdue: 0 },
    budget: { cap: 100, spent: 30, reserved: 0 },
  });
  expect((await readGoals(board.db, { beforeId: two.id, limit: 5 })).map(({ id }) => id)).toEqual([one.id]);
  await board.goals.edit(two.id, { status: 'cancelled' }, alice);
  expect((await readGoals(board.db, { status: 'cancelled', limit: 5 })).map(({ id }) => id)).toEqual([two.id]);
});

test("a goal's graph has its tasks, what must come first, and the longest chain of open ones", async () => {
  const board = await openBoard();
  const goal = await board.goals.create({ name: 'Goal', description: '' }, alice);
  const foreign = await board.add('Of no goal');
  const a = await board.add('A', { goalId: goal.id });
  const b = await board.add('B', { goalId: goal.id, dependencies: [a.id, foreign.id] });
  const c = await board.add('C', { goalId: goal.id, dependencies: [a.id, b.id] });
  await board.end(a.id, 'completed');
  const graph = await readGoalGraph(board, goal.id, { isOpenOnly: false, limit: 9 });
  expect(graph.nodes.map(({ id, state }) => [id, state])).toEqual([
    [a.id, 'completed'],
    [b.id, 'waiting'],
    [c.id, 'waiting'],
  ]);
  // What a task of another goal holds up is no edge of this one.
  expect(graph.edges).toEqual([
    [a.id, b.id],
    [a.id, c.id],
    [b.id, c.id],
  ]);
  expect(graph).toMatchObject({ criticalPath: [b.id, c.id], total: 3 });

  const open = await readGoalGraph(board, goal.id, { isOpenOnly: true, limit: 9 });
  expect(open).toMatchObject({ nodes: [{ id: b.id }, { id: c.id }], edges: [[b.id, c.id]], total: 2 });
  // Where not all fit, the open ones come before those that are done.
  const few = await readGoalGraph(board, goal.id, { isOpenOnly: false, limit: 2 });
  expect(few).toMatchObject({ nodes: [{ id: b.id }, { id: c.id }], total: 3 });
  await expect(readGoalGraph(board, 99, { isOpenOnly: false, limit: 2 })).rejects.toMatchObject({ code: 'not_found' });
});
