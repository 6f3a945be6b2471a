import { describe, expect, test } from 'vitest';
import { alice, type Board, bob, openBoard } from '../tasks/board.js';

async function goalWith(board: Board, tasks: number): Promise<{ goal: number; ids: number[] }> {
  const goal = await board.goals.create({ name: 'Goal', description: 'Why' }, alice);
  const ids: number[] = [];
  for (let count = 0; count < tasks; count++) ids.push((await board.add(`T${count}`, { goalId: goal.id })).id);
  return { goal: goal.id, ids };
}

const statusOf = async (board: Board, id: number) => (await board.goals.get(id)).status;

describe('a goal', () => {
  test('is stored with its project and starts active and empty', async () => {
    const board = await openBoard();
    const goal = await board.goals.create(
      { name: 'Ship', description: 'All of it', metadata: { owner: 'me' }, tokenBudget: 1_000 },
      { ...alice, project: '/a' },
    );
    expect(goal).toMatchObject({
      name: 'Ship',
      description: 'All of it',
      status: 'active',
      project: '/a',
      metadata: { owner: 'me' },
      progress: { total: 0, pending: 0, in_progress: 0, completed: 0, failed: 0, cancelled: 0 },
      budget: { cap: 1_000, spent: 0, reserved: 0 },
      criticalPath: [],
      completedAt: null,
    });
  });

  test('that does not exist is not_found, and says where to look', async () => {
    const board = await openBoard();
    await expect(board.goals.get(9)).rejects.toMatchObject({
      code: 'not_found',
      message: 'No goal has id 9.',
      hint: 'Call list_goals to see the goals there are.',
    });
    await expect(board.goals.edit(9, { name: 'x' }, alice)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('can be edited, and its history says what', async () => {
    const board = await openBoard();
    const { goal } = await goalWith(board, 0);
    const edited = await board.goals.edit(goal, { name: 'New', metadata: { a: 1 }, tokenBudget: 50 }, bob);
    expect(edited).toMatchObject({ name: 'New', description: 'Why', metadata: { a: 1 }, budget: { cap: 50 } });
    expect((await board.goals.edit(goal, { tokenBudget: null }, bob)).budget.cap).toBeNull();
    expect(await board.history('goal', goal)).toEqual(['created', 'edited', 'edited']);
  });

  test('counts its tasks by status', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 5);
    const [claimed = 0, completed = 0, failed = 0, cancelled = 0] = ids;
    await board.claim(claimed, alice);
    await board.end(completed, 'completed');
    await board.end(failed, 'failed');
    await board.end(cancelled, 'cancelled');
    expect((await board.goals.get(goal)).progress).toEqual({
      total: 5,
      pending: 1,
      in_progress: 1,
      completed: 1,
      failed: 1,
      cancelled: 1,
    });
  });
});

describe('a list of goals', () => {
  test('begins with the newest and keeps to status, project and page', async () => {
    const board = await openBoard();
    const make = (name: string, project: string) => board.goals.create({ name, description: '', project }, alice);
    const names = async (filter: Parameters<Board['goals']['list']>[0]) =>
      (await board.goals.list(filter)).map((goal) => goal.name);
    await make('one', '');
    const two = await make('two', '/a');
    await make('three', '/b');
    await board.goals.edit(two.id, { status: 'cancelled' }, alice);
    expect(await names({ limit: 10 })).toEqual(['three', 'two', 'one']);
    expect(await names({ limit: 10, project: '/a' })).toEqual(['two', 'one']);
    expect(await names({ limit: 10, status: 'active' })).toEqual(['three', 'one']);
    expect(await names({ limit: 1, beforeId: 3 })).toEqual(['two']);
  });
});

describe('a goal completes itself', () => {
  test('with the last of its tasks', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 2);
    const [first = 0, second = 0] = ids;
    await board.end(first, 'completed');
    expect(await statusOf(board, goal)).toBe('active');
    board.clock.pass(1_000);
    await board.end(second, 'completed');
    expect(await board.goals.get(goal)).toMatchObject({ status: 'completed', completedAt: board.clock.now() });
    expect(await board.history('goal', goal)).toEqual(['created', 'completed']);
  });

  test('when what is left was cancelled, but not when everything was', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 2);
    await board.end(ids[0] ?? 0, 'cancelled');
    await board.end(ids[1] ?? 0, 'completed');
    expect(await statusOf(board, goal)).toBe('completed');
    const other = await goalWith(board, 1);
    await board.end(other.ids[0] ?? 0, 'cancelled');
    expect(await statusOf(board, other.goal)).toBe('active');
  });

  test('when the last open task was skipped by its policy', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 1);
    const outside = await board.add('Outside');
    await board.add('Skipped', { goalId: goal, dependencies: [outside.id], onDependencyFailure: 'skip' });
    await board.end(ids[0] ?? 0, 'completed');
    await board.end(outside.id, 'failed');
    expect(await statusOf(board, goal)).toBe('completed');
  });

  test('not while a task of it has failed', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 2);
    await board.end(ids[0] ?? 0, 'failed');
    await board.end(ids[1] ?? 0, 'completed');
    expect(await statusOf(board, goal)).toBe('active');
  });

  test('and is active again when a task is added to it or one of its tasks is reopened', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 2);
    await board.end(ids[0] ?? 0, 'cancelled');
    await board.end(ids[1] ?? 0, 'completed');
    await board.end(ids[0] ?? 0, 'pending');
    expect(await board.goals.get(goal)).toMatchObject({ status: 'active', completedAt: null });
    await board.end(ids[0] ?? 0, 'completed');
    await board.add('More', { goalId: goal });
    expect(await statusOf(board, goal)).toBe('active');
  });

  test('at once when the only new task of it is stopped by its own policy', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 1);
    await board.end(ids[0] ?? 0, 'completed');
    const outside = await board.add('Outside');
    await board.end(outside.id, 'failed');
    await board.add('Never', { goalId: goal, dependencies: [outside.id], onDependencyFailure: 'cancel' });
    expect(await statusOf(board, goal)).toBe('completed');
  });
});

describe('ending a goal by hand', () => {
  test('as cancelled cancels its open tasks, also those in progress, and applies the policies of tasks elsewhere that depend on them', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 3);
    const [pending = 0, claimed = 0, completed = 0] = ids;
    await board.claim(claimed, bob);
    await board.end(completed, 'completed');
    const runs = await board.add('Elsewhere', { dependencies: [pending], onDependencyFailure: 'run' });
    const blocked = await board.add('Blocked', { dependencies: [claimed] });
    expect((await board.goals.edit(goal, { status: 'cancelled' }, alice)).status).toBe('cancelled');
    expect(await board.statusOf(...ids)).toEqual(['cancelled', 'cancelled', 'completed']);
    expect((await board.tasks.get(claimed)).error).toBe(`Goal ${goal} was cancelled.`);
    expect((await board.tasks.get(runs.id)).isReady).toBe(true);
    expect((await board.tasks.get(blocked.id)).failedDependencies).toBe(1);
    await expect(board.end(claimed, 'completed', bob)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('as cancelled cancels tasks that their policy would have skipped, so that their dependents do not go on', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 1);
    const skips = await board.add('Skips', { goalId: goal, dependencies: ids, onDependencyFailure: 'skip' });
    const after = await board.add('After', { dependencies: [skips.id] });
    await board.goals.edit(goal, { status: 'cancelled' }, alice);
    expect(await board.row(skips.id)).toMatchObject({ status: 'cancelled', is_skipped: 0, stopped_by: null });
    expect((await board.tasks.get(after.id)).isReady).toBe(false);
  });

  test('as completed is refused while it has open tasks, and says how many', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 2);
    await expect(board.goals.edit(goal, { name: 'x', status: 'completed' }, alice)).rejects.toMatchObject({
      code: 'conflict',
      message: `Goal ${goal} "Goal" still has 2 open tasks.`,
    });
    expect((await board.goals.get(goal)).name).toBe('Goal');
    for (const id of ids) await board.end(id, 'failed');
    expect((await board.goals.edit(goal, { status: 'completed' }, alice)).status).toBe('completed');
  });

  test('as cancelled keeps new tasks out until it is active again', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 1);
    await board.goals.edit(goal, { status: 'cancelled' }, alice);
    await expect(board.add('New', { goalId: goal })).rejects.toMatchObject({
      code: 'conflict',
      message: `Goal ${goal} "Goal" is cancelled and takes no tasks.`,
    });
    await expect(board.end(ids[0] ?? 0, 'pending')).rejects.toMatchObject({ code: 'conflict' });
    await board.goals.edit(goal, { status: 'active' }, alice);
    await board.end(ids[0] ?? 0, 'pending');
    expect(await board.history('goal', goal)).toEqual(['created', 'cancelled', 'reopened']);
  });
});

describe('the token budget of a goal', () => {
  test('counts what its tasks report, once', async () => {
    const board = await openBoard();
    const { goal, ids } = await goalWith(board, 1);
    const task = ids[0] ?? 0;
    await board.tasks.updateStatus({ task, status: 'in_progress', tokensUsed: 100 }, alice);
    await board.tasks.updateStatus({ task, status: 'completed', tokensUsed: 50 }, alice);
    await board.tasks.updateStatus({ task, status: 'completed', tokensUsed: 50 }, alice);
    expect((await board.goals.get(goal)).budget).toMatchObject({ cap: null, spent: 150 });
    expect((await board.tasks.get(task)).tokensUsed).toBe(150);
  });
});
