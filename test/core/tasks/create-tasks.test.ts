import { describe, expect, test } from 'vitest';
import { alice, openBoard } from './board.js';

describe('creating a task', () => {
  test('stores every field and starts with none of an attempt', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'Goal', description: '' }, alice);
    const task = await board.add('Write the parser', {
      key: 'parser',
      goalId: goal.id,
      description: 'All of it',
      acceptance: 'It parses',
      expectedOutput: 'A file',
      priority: 8,
      metadata: { area: 'core', depth: [1, 2] },
      deadlineAt: board.clock.now() + 1_000,
      notBefore: board.clock.now() - 1_000,
      maxAttempts: 7,
      onDependencyFailure: 'skip',
    });
    expect(task).toMatchObject({
      key: 'parser',
      goalId: goal.id,
      title: 'Write the parser',
      description: 'All of it',
      acceptance: 'It parses',
      expectedOutput: 'A file',
      status: 'pending',
      priority: 8,
      metadata: { area: 'core', depth: [1, 2] },
      maxAttempts: 7,
      onDependencyFailure: 'skip',
      attempts: 0,
      claimToken: 0,
      claimedBy: null,
      result: null,
      error: null,
      startedAt: null,
      completedAt: null,
      createdAt: board.clock.now(),
    });
  });

  test('gives a task priority 5, three attempts and the policy block by default', async () => {
    const board = await openBoard();
    expect(await board.add('Plain')).toMatchObject({ priority: 5, maxAttempts: 3, onDependencyFailure: 'block' });
  });

  test('refuses a priority beyond 1 to 10 even past the tools', async () => {
    const board = await openBoard();
    await expect(board.add('Too urgent', { priority: 11 })).rejects.toThrow(
      /CHECK constraint failed: priority|check constraint "tasks_priority_check"/,
    );
    await expect(board.add('Too lazy', { priority: 0 })).rejects.toThrow(
      /CHECK constraint failed: priority|check constraint "tasks_priority_check"/,
    );
  });

  test('refuses a goal that does not exist', async () => {
    const board = await openBoard();
    await expect(board.add('Orphan', { goalId: 77 })).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('77'),
    });
  });

  test('refuses a dependency that does not exist', async () => {
    const board = await openBoard();
    await expect(board.add('Waits', { dependencies: [99] })).rejects.toMatchObject({ code: 'not_found' });
    await expect(board.add('Waits', { dependencies: ['nowhere'] })).rejects.toMatchObject({
      code: 'not_found',
      message: 'No task has key nowhere.',
    });
    expect(await board.tasks.list({ limit: 10 })).toEqual([]);
  });

  test('says that the id of a background task is not a task of the board', async () => {
    const board = await openBoard();
    const job = '3f2b8a10-1111-4222-8333-444455556666';
    await expect(board.add('Waits', { dependencies: [job] })).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('check_task_status'),
    });
  });

  test('takes an id, the same id as text and the key of one task for one dependency', async () => {
    const board = await openBoard();
    const first = await board.add('First', { key: 'first' });
    const second = await board.add('Second', { dependencies: [first.id, String(first.id), 'first'] });
    expect(second).toMatchObject({ dependencies: [first.id], unfinishedDependencies: 1 });
  });

  test('does not wait for what is done already', async () => {
    const board = await openBoard();
    const done = await board.add('Done');
    await board.end(done.id, 'completed');
    const open = await board.add('Open');
    const task = await board.add('After both', { dependencies: [done.id, open.id] });
    expect(task).toMatchObject({ unfinishedDependencies: 1, failedDependencies: 0 });
  });

  test('puts a task of a goal into the project of that goal, from wherever it is made', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'Goal', description: '' }, { ...alice, project: '/a' });
    const inGoal = await board.add('In the goal', { goalId: goal.id }, { ...alice, project: '/b' });
    const elsewhere = await board.add('In none', {}, { ...alice, project: '/b' });
    expect([inGoal.project, elsewhere.project]).toEqual(['/a', '/b']);
  });
});

describe('keys', () => {
  test('work wherever an id does', async () => {
    const board = await openBoard();
    const task = await board.add('Keyed', { key: 'auth-api' });
    expect((await board.tasks.get('auth-api')).id).toBe(task.id);
    expect((await board.tasks.get(String(task.id))).id).toBe(task.id);
  });

  test('of digits only are refused, as they would be taken for ids', async () => {
    const board = await openBoard();
    await expect(board.add('Numbered', { key: '42' })).rejects.toMatchObject({ code: 'invalid' });
    await expect(board.add('Empty', { key: '' })).rejects.toMatchObject({ code: 'invalid' });
  });

  test('in use are a conflict that names the task', async () => {
    const board = await openBoard();
    const first = await board.add('First', { key: 'same' });
    await expect(board.add('Second', { key: 'same' })).rejects.toMatchObject({
      code: 'conflict',
      message: `The key same belongs to task ${first.id}, which is pending.`,
    });
  });

  test('may hold any letters and signs but be digits alone', async () => {
    const board = await openBoard();
    const task = await board.add('Unicode', { key: 'größe/日本語 %_1' });
    expect((await board.tasks.get('größe/日本語 %_1')).id).toBe(task.id);
  });
});

describe('a batch', () => {
  test('is created in the order given, with dependencies by key in any order', async () => {
    const board = await openBoard();
    const made = await board.tasks.create(
      [
        { title: 'Roof', key: 'roof', dependencies: ['walls'] },
        { title: 'Walls', key: 'walls', dependencies: ['floor'] },
        { title: 'Floor', key: 'floor' },
      ],
      alice,
    );
    expect(made.map((task) => task.title)).toEqual(['Roof', 'Walls', 'Floor']);
    const [roof, walls, floor] = made;
    expect(roof?.dependencies).toEqual([walls?.id]);
    expect(walls?.dependencies).toEqual([floor?.id]);
    expect(floor?.unfinishedDependencies).toBe(0);
  });

  test('is all or nothing', async () => {
    const board = await openBoard();
    await board.add('There', { key: 'taken' });
    const before = await board.db.all('select * from events');
    await expect(
      board.tasks.create([{ title: 'Good' }, { title: 'Also good', key: 'x' }, { title: 'Bad', key: 'taken' }], alice),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect(await board.tasks.list({ limit: 10 })).toHaveLength(1);
    expect(await board.db.all('select * from events')).toEqual(before);
  });

  test('with one key twice is a conflict', async () => {
    const board = await openBoard();
    const batch = [
      { title: 'A', key: 'k' },
      { title: 'B', key: 'k' },
    ];
    await expect(board.tasks.create(batch, alice)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('with a cycle of five is refused, naming the cycle', async () => {
    const board = await openBoard();
    const batch = Array.from({ length: 5 }, (_, index) => ({
      title: `T${index}`,
      key: `t${index}`,
      dependencies: [`t${(index + 1) % 5}`],
    }));
    await expect(board.tasks.create(batch, alice)).rejects.toMatchObject({
      code: 'dependency_cycle',
      message: 'These tasks would wait for each other: t0 -> t1 -> t2 -> t3 -> t4 -> t0.',
    });
    expect(await board.tasks.list({ limit: 10 })).toEqual([]);
  });

  test('with a task that depends on itself is refused', async () => {
    const board = await openBoard();
    const itself = [{ title: 'Snake', key: 'snake', dependencies: ['snake'] }];
    await expect(board.tasks.create(itself, alice)).rejects.toMatchObject({ code: 'dependency_cycle' });
  });

  test('may have a thousand tasks in one chain, and is one transaction', async () => {
    const board = await openBoard();
    const chain = Array.from({ length: 1_000 }, (_, index) => ({
      title: `Link ${index}`,
      key: `link-${index}`,
      dependencies: index === 999 ? [] : [`link-${index + 1}`],
    }));
    const made = await board.tasks.create(chain, alice);
    expect(made).toHaveLength(1_000);
    const ready = await board.tasks.ready({}, { limit: 10 });
    expect(ready.map((task) => task.key)).toEqual(['link-999']);
  });
});

describe('a large text', () => {
  test('of a megabyte is kept to the letter', async () => {
    const board = await openBoard();
    const text = 'Grüße 日本語 🎈 %_\\\n'.repeat(50_000);
    const task = await board.add('Long', { description: text });
    expect((await board.tasks.get(task.id)).description).toBe(text);
    await board.claim(task.id, alice);
    await board.tasks.updateStatus({ task: task.id, status: 'completed', result: text }, alice);
    expect((await board.tasks.get(task.id)).result).toBe(text);
  });
});
