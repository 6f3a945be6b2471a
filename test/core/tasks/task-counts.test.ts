import { expect, it } from 'vitest';
import { readBoard } from '../../../src/core/overview/board.js';
import { readTaskCounts, storedTaskCounts } from '../../../src/core/tasks/task-counts.js';
import { checkCounts } from '../../../src/store/check-counts.js';
import { isOnPostgres } from '../../support/postgres.js';
import { alice, openBoard } from './board.js';

const none = { ready: 0, waiting: 0, in_progress: 0, completed: 0, failed: 0, cancelled: 0, overdue: 0 };

it('a task is counted under its state, by goal and by project, wherever it goes', async () => {
  const board = await openBoard();
  const goal = await board.goals.create({ name: 'Goal', description: 'A goal', project: '/a' }, alice);
  const [first, second] = await board.tasks.create(
    [
      { title: 'First', key: 'first', goalId: goal.id, deadlineAt: board.clock.now() + 10_000 },
      { title: 'Second', goalId: goal.id, dependencies: ['first'] },
    ],
    { ...alice, project: '/a' },
  );
  await board.add('Elsewhere');
  const ofGoal = () => readTaskCounts(board.db, { goalId: goal.id });
  expect(await ofGoal()).toEqual({ ...none, ready: 1, waiting: 1 });
  expect(await readTaskCounts(board.db, {})).toEqual({ ...none, ready: 2, waiting: 1 });
  expect(await readTaskCounts(board.db, { project: '/a' })).toEqual({ ...none, ready: 1, waiting: 1 });
  expect(await readTaskCounts(board.db, { withinProject: '/a' })).toEqual({ ...none, ready: 2, waiting: 1 });

  await board.claim(first?.id ?? 0, alice);
  expect(await ofGoal()).toEqual({ ...none, in_progress: 1, waiting: 1 });
  board.clock.pass(20_000);
  // A look at the board marks what is overdue by now.
  await readBoard(board, {}, 1);
  expect((await ofGoal()).overdue).toBe(1);
  await board.end(first?.id ?? 0, 'completed');
  expect(await ofGoal()).toEqual({ ...none, completed: 1, ready: 1 });
  await board.tasks.updateStatus({ task: second?.id ?? 0, status: 'cancelled' }, alice);
  expect(await ofGoal()).toEqual({ ...none, completed: 1, cancelled: 1 });
  await board.maintenance.clearBoard(alice);
  expect(await readTaskCounts(board.db, {})).toEqual(none);
});

it('counts that something else has made wrong are found by the daily check and counted anew', async ({ skip }) => {
  if (isOnPostgres) return skip('they are not stored there');
  const board = await openBoard();
  await board.add('One');
  await board.add('Two');
  expect(await checkCounts(board.db, storedTaskCounts)).toEqual([]);
  await board.db.run("update task_counts set count = 7 where state = 'ready'");
  board.clock.pass(86_400_001);
  await board.maintenance.runOnce();
  expect(await readTaskCounts(board.db, {})).toEqual({ ...none, ready: 2 });
  await board.db.run("update task_counts set count = 7 where state = 'ready'");
  expect(await checkCounts(board.db, storedTaskCounts)).toEqual([
    { goal_id: 0, project: '', state: 'ready', stored: 7, counted: 2 },
  ]);
});
