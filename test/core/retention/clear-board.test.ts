import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { alice, bob, openBoard } from '../tasks/board.js';

test('clearing the board deletes every task and frees every slot, after a backup; goals and events stay', async () => {
  const board = await openBoard();
  const goal = await board.goals.create({ name: 'G', description: '' }, alice);
  const a = await board.add('a', { goalId: goal.id });
  const b = await board.add('b', { dependencies: [a.id], onDependencyFailure: 'cancel' });
  await board.add('c', { dependencies: [b.id] });
  await board.add('d');
  await board.end(a.id, 'failed');
  const { slot } = await board.slots.claim('w', { ...alice, sessionId: undefined });
  await board.workers.claim({ task: 4, workerId: 'w', slot }, alice);
  const { deleted, backup } = await board.maintenance.clearBoard(bob);
  expect(deleted).toBe(4);
  expect(existsSync(backup)).toBe(true);
  expect(await board.tasks.list({ limit: 10 })).toEqual([]);
  expect((await board.slots.list()).every((place) => place.workerId === null)).toBe(true);
  expect((await board.goals.get(goal.id)).progress.total).toBe(0);
  expect(await board.history('runtime', 'board')).toEqual(['cleared']);
  // Ids are not reused, so that an old id never names a new task.
  expect((await board.add('next')).id).toBe(5);
});
