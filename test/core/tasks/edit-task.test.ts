import { describe, expect, test } from 'vitest';
import { alice, openBoard } from './board.js';

describe('editing a task', () => {
  test('changes what is given, takes away what is null, and leaves the rest', async () => {
    const board = await openBoard();
    const { id } = await board.add('Old title', { key: 'old', acceptance: 'Works', description: 'Same' });
    board.clock.pass(1_000);
    const edited = await board.tasks.edit(
      id,
      { title: 'New title', key: 'new', acceptance: null, priority: 9, metadata: { a: 1 }, maxAttempts: 5 },
      alice,
    );
    expect(edited).toMatchObject({
      title: 'New title',
      key: 'new',
      acceptance: null,
      priority: 9,
      metadata: { a: 1 },
      maxAttempts: 5,
      description: 'Same',
      updatedAt: board.clock.now(),
    });
    const event = await board.db.get('select data from events where subject_id = ? and type = ?', `${id}`, 'edited');
    expect(event).toEqual({ data: '{"fields":["title","key","acceptance","priority","metadata","maxAttempts"]}' });
  });

  test('refuses a key in use or of digits only, and then changes nothing', async () => {
    const board = await openBoard();
    await board.add('Other', { key: 'taken' });
    const { id } = await board.add('Task', { key: 'mine' });
    const before = await board.row(id);
    await expect(board.tasks.edit(id, { title: 'x', key: 'taken' }, alice)).rejects.toMatchObject({ code: 'conflict' });
    await expect(board.tasks.edit(id, { title: 'x', key: '12' }, alice)).rejects.toMatchObject({ code: 'invalid' });
    expect(await board.row(id)).toEqual(before);
    expect((await board.tasks.edit(id, { key: 'mine' }, alice)).key).toBe('mine');
  });

  test('moves it between goals: the one it leaves may complete, the one it joins is open again', async () => {
    const board = await openBoard();
    const left = await board.goals.create({ name: 'Left', description: '' }, alice);
    const joined = await board.goals.create({ name: 'Joined', description: '', project: '/p' }, alice);
    const done = await board.add('Done', { goalId: left.id });
    const { id } = await board.add('Task', { goalId: left.id });
    const other = await board.add('Other', { goalId: joined.id });
    await board.end(done.id, 'completed');
    await board.end(other.id, 'completed');
    expect((await board.goals.get(joined.id)).status).toBe('completed');
    expect((await board.tasks.edit(id, { goalId: joined.id }, alice)).project).toBe('/p');
    expect((await board.goals.get(left.id)).status).toBe('completed');
    expect((await board.goals.get(joined.id)).status).toBe('active');
    await expect(board.tasks.edit(id, { goalId: 99 }, alice)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that brings a finished task to a finished goal does not open that goal', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'Goal', description: '' }, alice);
    const [one, two] = [await board.add('One', { goalId: goal.id }), await board.add('Two')];
    await board.end(one.id, 'completed');
    await board.end(two.id, 'completed');
    await board.tasks.edit(two.id, { goalId: goal.id }, alice);
    expect((await board.goals.get(goal.id)).status).toBe('completed');
  });
});

describe('new dependencies', () => {
  test('replace the old ones, and are counted', async () => {
    const board = await openBoard();
    const [a, b, c] = [await board.add('a'), await board.add('b'), await board.add('c', { key: 'c' })];
    const { id } = await board.add('Task', { dependencies: [a.id, b.id] });
    await board.end(c.id, 'completed');
    const edited = await board.tasks.edit(id, { dependencies: [b.id, 'c', String(b.id)] }, alice);
    expect(edited).toMatchObject({ dependencies: [b.id, c.id], unfinishedDependencies: 1 });
    expect((await board.tasks.edit(id, { dependencies: [] }, alice)).unfinishedDependencies).toBe(0);
    expect((await board.tasks.next({}))?.id).toBe(a.id);
  });

  test('that close a cycle of five are refused, naming it, and change nothing', async () => {
    const board = await openBoard();
    const ids: number[] = [];
    for (let place = 0; place < 5; place++) {
      ids.push((await board.add(`T${place}`, { dependencies: ids.slice(-1) })).id);
    }
    const [first = 0, , , , last = 0] = ids;
    const before = await board.row(first);
    const edges = await board.db.all('select * from task_dependencies');
    await expect(board.tasks.edit(first, { title: 'x', dependencies: [last] }, alice)).rejects.toMatchObject({
      code: 'dependency_cycle',
      message: `These tasks would wait for each other: ${[first, ...[...ids].reverse()].join(' -> ')}.`,
    });
    expect(await board.row(first)).toEqual(before);
    expect(await board.db.all('select * from task_dependencies')).toEqual(edges);
  });

  test('on the task itself are refused', async () => {
    const board = await openBoard();
    const { id } = await board.add('Task', { key: 'me' });
    await expect(board.tasks.edit(id, { dependencies: ['me'] }, alice)).rejects.toMatchObject({
      code: 'dependency_cycle',
      message: `These tasks would wait for each other: ${id} -> ${id}.`,
    });
  });

  test('are refused for a task that is in progress or done', async () => {
    const board = await openBoard();
    const a = await board.add('a');
    const { id } = await board.add('Task');
    await board.claim(id, alice);
    await expect(board.tasks.edit(id, { dependencies: [a.id] }, alice)).rejects.toMatchObject({ code: 'conflict' });
    await board.end(id, 'completed');
    await expect(board.tasks.edit(id, { dependencies: [a.id] }, alice)).rejects.toMatchObject({ code: 'conflict' });
  });
});
