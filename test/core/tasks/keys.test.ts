import { describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/core/actor.js';
import { alice, openBoard } from './board.js';

const inOne: Actor = { holder: 'session:one', project: '/one' };
const inTwo = { holder: 'session:two', project: '/two', sessionId: undefined };
const inThree: Actor = { holder: 'session:three', project: '/three' };

/** A board on which two projects have a task A1. */
async function openShared() {
  const board = await openBoard();
  const first = await board.add('First', { key: 'A1' }, inOne);
  const second = await board.add('Second', { key: 'A1' }, inTwo);
  return { board, first, second };
}

describe('a key', () => {
  test('is unique within its project alone', async () => {
    const { board, first } = await openShared();
    await expect(board.add('Again', { key: 'A1' }, inOne)).rejects.toThrow(
      `The key A1 belongs to task ${first.id}, which is pending.`,
    );
    expect(await board.add('Of no project', { key: 'A1' }, alice)).toMatchObject({ key: 'A1', project: '' });
    await expect(board.add('Again', { key: 'A1' }, alice)).rejects.toThrow('The key A1 belongs to task 3');
  });

  test('is unique in the table itself', async () => {
    const { board, first, second } = await openShared();
    const moved = board.db.run('update tasks set project = ? where id = ?', first.project, second.id);
    await expect(moved).rejects.toThrow(/unique/i);
  });

  test('names the task of the caller’s project, for every operation', async () => {
    const { board, first, second } = await openShared();
    expect(await board.tasks.get('A1', inOne)).toMatchObject({ id: first.id });
    expect(await board.tasks.get('A1', inTwo)).toMatchObject({ id: second.id });
    expect(await board.tasks.idOfKey('A1', inTwo)).toBe(second.id);
    expect(await board.tasks.edit('A1', { priority: 9 }, inTwo)).toMatchObject({ id: second.id, priority: 9 });

    const { slot } = await board.slots.claim('w', inTwo);
    expect(await board.workers.claim({ task: 'A1', workerId: 'w', slot }, inTwo)).toMatchObject({ id: second.id });
    expect(await board.workers.heartbeat({ task: 'A1' }, inTwo)).toMatchObject({ tasks: 1 });
    expect(await board.workers.release('A1', undefined, inTwo)).toMatchObject({ id: second.id });
    await board.tasks.updateStatus({ task: 'A1', status: 'cancelled' }, inTwo);
    expect(await board.workers.reset('A1', inTwo)).toMatchObject({ id: second.id });
    expect(await board.tasks.updateStatus({ task: 'A1', status: 'completed' }, inTwo)).toMatchObject({ id: second.id });
    expect(await board.statusOf(first.id, second.id)).toEqual(['pending', 'completed']);
  });

  test('names the only task that has it for a caller of another project or of none', async () => {
    const board = await openBoard();
    const only = await board.add('Only', { key: 'only' }, inOne);
    expect(await board.tasks.get('only', inTwo)).toMatchObject({ id: only.id });
    expect(await board.tasks.get('only', alice)).toMatchObject({ id: only.id });
  });

  test('that several other projects have is a conflict that names them and the numbers', async () => {
    const { board, first, second } = await openShared();
    for (const actor of [inThree, alice]) {
      await expect(board.tasks.get('A1', actor)).rejects.toMatchObject({
        code: 'conflict',
        message: `The key A1 belongs to task ${first.id} of /one, task ${second.id} of /two.`,
      });
    }
  });

  test('names a task of no project, which every caller sees, before those of other projects', async () => {
    const { board } = await openShared();
    const shown = await board.add('Of no project', { key: 'A1' }, alice);
    expect(await board.tasks.get('A1', inThree)).toMatchObject({ id: shown.id });
    expect(await board.tasks.get('A1', alice)).toMatchObject({ id: shown.id });
  });

  test('is free in the project that a task joins with its goal, or nothing is changed', async () => {
    const { board, second } = await openShared();
    const goal = await board.goals.create({ name: 'Goal', description: '' }, inOne);
    await expect(board.tasks.edit(second.id, { goalId: goal.id }, inTwo)).rejects.toThrow('The key A1 belongs to');
    expect(await board.row(second.id)).toMatchObject({ project: '/two', goal_id: null });
    const moved = await board.tasks.edit(second.id, { goalId: goal.id, key: 'A2' }, inTwo);
    expect(moved).toMatchObject({ project: '/one', key: 'A2' });
  });
});

describe('a dependency by key', () => {
  test('is the task of the same project', async () => {
    const { board, first, second } = await openShared();
    expect(await board.add('After', { dependencies: ['A1'] }, inOne)).toMatchObject({ dependencies: [first.id] });
    expect(await board.add('After', { dependencies: ['A1'] }, inTwo)).toMatchObject({ dependencies: [second.id] });
    const later = await board.add('Later', {}, inTwo);
    const edited = await board.tasks.edit(later.id, { dependencies: ['A1'] }, inTwo);
    expect(edited).toMatchObject({ dependencies: [second.id] });
  });

  test('in a batch is the task of the batch, whichever project its goal has', async () => {
    const { board } = await openShared();
    const goal = await board.goals.create({ name: 'Goal', description: '', project: '/three' }, inThree);
    const [before, after] = await board.tasks.create(
      [
        { title: 'Before', key: 'A1', goalId: goal.id },
        { title: 'After', dependencies: ['A1'], goalId: goal.id },
      ],
      inOne,
    );
    expect(before).toMatchObject({ project: '/three' });
    expect(after?.dependencies).toEqual([before?.id]);
  });

  test('in a batch over two projects is the task of the same one', async () => {
    const board = await openBoard();
    const made = await board.tasks.create(
      ['/one', '/two'].flatMap((project) => [
        { title: 'Before', key: 'a', project },
        { title: 'After', key: 'b', dependencies: ['a'], project },
      ]),
      alice,
    );
    expect(made.map(({ dependencies }) => dependencies)).toEqual([[], [made[0]?.id], [], [made[2]?.id]]);
  });
});

test('tasks of two projects with one key are imported, as an export has them', async () => {
  const { board } = await openShared();
  const other = await openBoard();
  const imported = {
    source: 'elsewhere',
    goals: [],
    tasks: ['/one', '/two'].map((project) => ({
      id: project,
      key: 'A1',
      title: 'Task',
      status: 'pending' as const,
      dependencies: [],
      project,
    })),
  };
  await expect(board.goals.previewImport(imported, inThree)).rejects.toThrow('The key A1 belongs to');
  expect(await other.goals.previewImport(imported, inThree)).toMatchObject({ tasks: { created: 2 } });
  await other.goals.importBoard(imported, inThree);
  expect(await other.tasks.get('A1', inTwo)).toMatchObject({ project: '/two' });
});
