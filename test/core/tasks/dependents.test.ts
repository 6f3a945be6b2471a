import { describe, expect, test } from 'vitest';
import type { FailurePolicy } from '../../../src/core/tasks/task.js';
import { alice, type Board, bob, openBoard } from './board.js';

/** Tasks by name, each after those named; returns their ids. */
async function tasksOf(
  board: Board,
  plan: Record<string, { after?: string[]; policy?: FailurePolicy }>,
): Promise<Record<string, number>> {
  const made = await board.tasks.create(
    Object.entries(plan).map(([name, { after = [], policy }]) => ({
      title: name,
      key: name,
      dependencies: after,
      onDependencyFailure: policy,
    })),
    alice,
  );
  return Object.fromEntries(made.map((task) => [task.title, task.id]));
}

const fail = (board: Board, id = 0) => board.tasks.updateStatus({ task: id, status: 'failed', error: 'boom' }, alice);

async function statuses(board: Board): Promise<Record<string, string>> {
  const rows = await board.db.all<{ title: string; status: string }>('select title, status from tasks order by id');
  return Object.fromEntries(rows.map((row) => [row.title, row.status]));
}

async function readyTitles(board: Board): Promise<string[]> {
  return (await board.tasks.ready({}, { limit: 50 })).map((task) => task.title);
}

describe('when a dependency fails', () => {
  test('block: the task waits, and says for what', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { after: ['a'] } });
    await fail(board, a);
    expect(await board.tasks.get(b ?? 0)).toMatchObject({
      status: 'pending',
      failedDependencies: 1,
      waitsBecause: 'It waits for task a (failed).',
    });
    expect(await board.tasks.waitingReasons({})).toMatchObject({ blockedByFailure: 1, waiting: 0 });
  });

  test('run: the task is done all the same', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { after: ['a'], policy: 'run' } });
    await fail(board, a);
    const claimed = await board.take(bob);
    expect(claimed.id).toBe(b);
    expect(claimed.dependencyResults).toMatchObject([{ id: a, status: 'failed' }]);
  });

  test('skip: the task is not done, and those after it go on', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { after: ['a'], policy: 'skip' }, c: { after: ['b'] } });
    await fail(board, a);
    expect(await statuses(board)).toEqual({ a: 'failed', b: 'cancelled', c: 'pending' });
    expect(await readyTitles(board)).toEqual(['c']);
    expect(await board.tasks.get(b ?? 0)).toMatchObject({
      isSkipped: true,
      stoppedBy: a,
      error: `Skipped, because task ${a} that it depends on did not complete.`,
    });
  });

  test('cancel: the task is cancelled, and those after it apply their own policy', async () => {
    const board = await openBoard();
    const { a } = await tasksOf(board, {
      a: {},
      b: { after: ['a'], policy: 'cancel' },
      c: { after: ['b'], policy: 'cancel' },
      blocked: { after: ['c'] },
      runs: { after: ['c'], policy: 'run' },
      skipped: { after: ['c'], policy: 'skip' },
      last: { after: ['skipped'] },
    });
    await fail(board, a);
    expect(await statuses(board)).toEqual({
      a: 'failed',
      b: 'cancelled',
      c: 'cancelled',
      blocked: 'pending',
      runs: 'pending',
      skipped: 'cancelled',
      last: 'pending',
    });
    expect(await readyTitles(board)).toEqual(['runs', 'last']);
  });

  test('a cancelled dependency counts like a failed one', async () => {
    const board = await openBoard();
    const { a } = await tasksOf(board, { a: {}, b: { after: ['a'], policy: 'cancel' } });
    await board.end(a ?? 0, 'cancelled', bob);
    expect(await statuses(board)).toEqual({ a: 'cancelled', b: 'cancelled' });
  });

  test('a chain of two hundred levels is settled in one transaction', async () => {
    const board = await openBoard();
    const chain = Array.from({ length: 200 }, (_, level) => ({
      title: `Level ${level}`,
      key: `level-${level}`,
      dependencies: level === 0 ? [] : [`level-${level - 1}`],
      onDependencyFailure: 'cancel' as const,
    }));
    const [first] = await board.tasks.create(chain, alice);
    let transactions = 0;
    const { transaction } = board.db;
    board.db.transaction = (body, options) => {
      transactions++;
      return transaction(body, options);
    };
    await fail(board, first?.id);
    expect(transactions).toBe(1);
    const open = await board.db.all("select id from tasks where status = 'pending'");
    expect(open).toEqual([]);
  });

  test('in a diamond each task is stopped once, and what both arms lead to is cancelled once', async () => {
    const board = await openBoard();
    const { a, d } = await tasksOf(board, {
      a: {},
      b: { after: ['a'], policy: 'cancel' },
      c: { after: ['a'], policy: 'cancel' },
      d: { after: ['b', 'c'], policy: 'cancel' },
    });
    await fail(board, a);
    expect(await statuses(board)).toEqual({ a: 'failed', b: 'cancelled', c: 'cancelled', d: 'cancelled' });
    expect(await board.history('task', d ?? 0)).toEqual(['created', 'cancelled']);
  });

  test('in a diamond with a skipped arm the end waits for the other arm alone', async () => {
    const board = await openBoard();
    const { a, x } = await tasksOf(board, {
      a: {},
      x: {},
      b: { after: ['a'], policy: 'skip' },
      c: { after: ['x'] },
      d: { after: ['b', 'c'] },
    });
    await fail(board, a);
    expect(await readyTitles(board)).toEqual(['x']);
    await board.end(x ?? 0, 'completed');
    expect(await readyTitles(board)).toEqual(['c']);
  });

  test('a task in progress goes on', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { after: ['a'], policy: 'run' } });
    await fail(board, a);
    await board.claim(b ?? 0, bob);
    await board.end(a ?? 0, 'pending');
    await fail(board, a);
    expect(await statuses(board)).toEqual({ a: 'failed', b: 'in_progress' });
    await board.end(b ?? 0, 'completed', bob);
  });
});

describe('the order of events makes no difference', () => {
  for (const [policy, status] of [
    ['skip', 'cancelled'],
    ['cancel', 'cancelled'],
    ['run', 'pending'],
    ['block', 'pending'],
  ] as const) {
    test(`${policy} applies to a task that is created after its dependency has failed`, async () => {
      const board = await openBoard();
      const { a } = await tasksOf(board, { a: {} });
      await fail(board, a);
      const { b, c } = await tasksOf(board, { b: { after: ['a'], policy }, c: { after: ['b'] } });
      expect(await board.statusOf(b ?? 0)).toEqual([status]);
      expect((await board.tasks.get(b ?? 0)).isReady).toBe(policy === 'run');
      expect((await board.tasks.get(c ?? 0)).isReady).toBe(policy === 'skip');
    });
  }

  test('a blocked task is freed by editing its policy', async () => {
    const board = await openBoard();
    const { a, b, c } = await tasksOf(board, { a: {}, b: { after: ['a'] }, c: { after: ['a'] } });
    await fail(board, a);
    await board.tasks.edit(b ?? 0, { onDependencyFailure: 'run' }, alice);
    expect(await readyTitles(board)).toEqual(['b']);
    await board.tasks.edit(b ?? 0, { onDependencyFailure: 'block' }, alice);
    expect(await readyTitles(board)).toEqual([]);
    await board.tasks.edit(c ?? 0, { onDependencyFailure: 'cancel' }, alice);
    expect(await board.tasks.get(c ?? 0)).toMatchObject({ status: 'cancelled', stoppedBy: a });
  });

  test('a stopped task comes back when its policy no longer stops it, and with it what waits for it', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, {
      a: {},
      b: { after: ['a'], policy: 'cancel' },
      c: { after: ['b'], policy: 'cancel' },
    });
    await fail(board, a);
    await board.tasks.edit(b ?? 0, { onDependencyFailure: 'block' }, alice);
    expect(await statuses(board)).toEqual({ a: 'failed', b: 'pending', c: 'pending' });
    expect(await readyTitles(board)).toEqual([]);
    await board.tasks.edit(b ?? 0, { onDependencyFailure: 'skip' }, alice);
    expect(await statuses(board)).toEqual({ a: 'failed', b: 'cancelled', c: 'pending' });
    expect(await readyTitles(board)).toEqual(['c']);
    await board.tasks.edit(b ?? 0, { onDependencyFailure: 'cancel' }, alice);
    expect(await statuses(board)).toEqual({ a: 'failed', b: 'cancelled', c: 'cancelled' });
    await board.tasks.edit(b ?? 0, { onDependencyFailure: 'run' }, alice);
    expect(await readyTitles(board)).toEqual(['b']);
  });

  test('a task that is made to wait for a failed one applies its policy at once', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { policy: 'skip' }, c: { after: ['b'] } });
    await fail(board, a);
    await board.tasks.edit(b ?? 0, { dependencies: ['a'] }, alice);
    expect(await statuses(board)).toEqual({ a: 'failed', b: 'cancelled', c: 'pending' });
    expect(await readyTitles(board)).toEqual(['c']);
  });
});

describe('when the dependency is reopened', () => {
  test('all that its failure had stopped comes back and waits, through every level', async () => {
    const board = await openBoard();
    const { a, b, c } = await tasksOf(board, {
      a: {},
      b: { after: ['a'], policy: 'cancel' },
      c: { after: ['b'], policy: 'skip' },
      d: { after: ['c'] },
      r: { after: ['a'], policy: 'run' },
    });
    await fail(board, a);
    expect(await readyTitles(board)).toEqual(['d', 'r']);
    await board.end(a ?? 0, 'pending');
    expect(await statuses(board)).toEqual({ a: 'pending', b: 'pending', c: 'pending', d: 'pending', r: 'pending' });
    expect(await readyTitles(board)).toEqual(['a']);
    expect(await board.tasks.get(b ?? 0)).toMatchObject({ stoppedBy: null, error: null, isSkipped: false });
    for (const id of [a, b, c]) await board.end(id ?? 0, 'completed');
    expect(await readyTitles(board)).toEqual(['d', 'r']);
  });

  test('a diamond comes back whole', async () => {
    const board = await openBoard();
    const { a } = await tasksOf(board, {
      a: {},
      b: { after: ['a'], policy: 'cancel' },
      c: { after: ['a'], policy: 'skip' },
      d: { after: ['b', 'c'], policy: 'cancel' },
    });
    await fail(board, a);
    await board.end(a ?? 0, 'pending');
    expect(await readyTitles(board)).toEqual(['a']);
    expect(await statuses(board)).toEqual({ a: 'pending', b: 'pending', c: 'pending', d: 'pending' });
  });

  test('a task that another failed dependency stops as well stays stopped until that is reopened too', async () => {
    const board = await openBoard();
    const { a, x, d } = await tasksOf(board, { a: {}, x: {}, d: { after: ['a', 'x'], policy: 'cancel' } });
    await fail(board, a);
    await fail(board, x);
    await board.end(a ?? 0, 'pending');
    expect(await board.tasks.get(d ?? 0)).toMatchObject({ status: 'cancelled', stoppedBy: x });
    await board.end(x ?? 0, 'pending');
    expect(await statuses(board)).toEqual({ a: 'pending', x: 'pending', d: 'pending' });
  });

  test('what somebody had cancelled by hand stays cancelled', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { after: ['a'] } });
    await board.end(b ?? 0, 'cancelled');
    await fail(board, a);
    await board.end(a ?? 0, 'pending');
    expect(await statuses(board)).toEqual({ a: 'pending', b: 'cancelled' });
  });

  test('a stopped task is not reopened alone, because its policy would stop it again', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { after: ['a'], policy: 'cancel' } });
    await fail(board, a);
    await expect(board.end(b ?? 0, 'pending')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('task a, which is failed'),
    });
  });

  test('a dependent that becomes pending later waits for it as well', async () => {
    const board = await openBoard();
    const { a, b } = await tasksOf(board, { a: {}, b: { after: ['a'], policy: 'run' } });
    await fail(board, a);
    await board.claim(b ?? 0, bob);
    await board.end(a ?? 0, 'pending');
    await board.end(b ?? 0, 'pending', bob);
    expect(await readyTitles(board)).toEqual(['a']);
  });

  test('its goal is open again, and so are the goals of what comes back with it', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const a = await board.add('a');
    const done = await board.add('done', { goalId: goal.id });
    const b = await board.add('b', { goalId: goal.id, dependencies: [a.id], onDependencyFailure: 'cancel' });
    await board.end(done.id, 'completed');
    await fail(board, a.id);
    expect((await board.goals.get(goal.id)).status).toBe('completed');
    await board.end(a.id, 'pending');
    expect((await board.goals.get(goal.id)).status).toBe('active');
    expect(await board.statusOf(b.id)).toEqual(['pending']);
  });

  test('a task whose goal was cancelled meanwhile does not come back', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const a = await board.add('a');
    const b = await board.add('b', { goalId: goal.id, dependencies: [a.id], onDependencyFailure: 'cancel' });
    await fail(board, a.id);
    await board.goals.edit(goal.id, { status: 'cancelled' }, alice);
    await board.end(a.id, 'pending');
    expect(await board.row(b.id)).toMatchObject({ status: 'cancelled', stopped_by: null });
  });
});
