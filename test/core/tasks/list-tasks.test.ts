import { describe, expect, test } from 'vitest';
import type { TaskFilter } from '../../../src/core/tasks/list-tasks.js';
import { alice, type Board, bob, openBoard } from './board.js';

async function titles(board: Board, filter: Omit<TaskFilter, 'limit'>): Promise<string[]> {
  return (await board.tasks.list({ limit: 50, ...filter })).map((task) => task.title);
}

describe('a list of tasks', () => {
  test('begins with the newest and keeps to goal, status and project', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    await board.add('common');
    await board.add('of a', {}, { ...alice, project: '/a' });
    await board.add('of b', {}, { ...alice, project: '/b' });
    const inGoal = await board.add('in goal', { goalId: goal.id });
    await board.add('also in goal', { goalId: goal.id });
    await board.end(inGoal.id, 'completed');
    expect(await titles(board, {})).toEqual(['also in goal', 'in goal', 'of b', 'of a', 'common']);
    expect(await titles(board, { project: '/a' })).toEqual(['also in goal', 'in goal', 'of a', 'common']);
    expect(await titles(board, { goalId: goal.id, project: '/b' })).toEqual(['also in goal', 'in goal']);
    expect(await titles(board, { goalId: goal.id, status: 'completed' })).toEqual(['in goal']);
    expect(await titles(board, { status: 'completed' })).toEqual(['in goal']);
    expect(await titles(board, { project: '/b', status: 'pending' })).toEqual(['also in goal', 'of b', 'common']);
    expect(await titles(board, { status: 'failed' })).toEqual([]);
  });

  test('can begin with the oldest', async () => {
    const board = await openBoard();
    const { id } = await board.add('one');
    await board.add('two');
    await board.add('three', {}, { ...alice, project: '/a' });
    expect(await titles(board, { afterId: 0 })).toEqual(['one', 'two', 'three']);
    expect(await titles(board, { afterId: id, project: '/a' })).toEqual(['two', 'three']);
  });

  test('gives each task once over its pages, while others add and finish tasks', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const made: number[] = [];
    for (let count = 0; count < 25; count++) made.push((await board.add(`T${count}`, { goalId: goal.id })).id);
    const seen: number[] = [];
    let beforeId: number | undefined;
    do {
      const page = await board.tasks.list({ goalId: goal.id, beforeId, limit: 4 });
      seen.push(...page.map((task) => task.id));
      beforeId = page.at(-1)?.id;
      await board.add('Meanwhile', { goalId: goal.id });
      await board.take(bob);
    } while (beforeId !== undefined);
    expect(seen).toEqual(made.reverse());
  });
});

describe('the list of ready tasks', () => {
  test('gives each task once over its pages, while others take from its front', async () => {
    const board = await openBoard();
    const tasks = Array.from({ length: 30 }, (_, index) => ({ title: `T${index}`, priority: 1 + (index % 10) }));
    await board.tasks.create(tasks, alice);
    await board.tasks.create([{ title: 'own', project: '/a', priority: 5 }], alice);
    const scope = { project: '/a' };
    const expected = (await board.tasks.ready(scope, { limit: 100 })).map((task) => task.id);
    expect(expected).toHaveLength(31);
    const seen: number[] = [];
    let afterId: number | undefined;
    do {
      const page = await board.tasks.ready(scope, { limit: 7, afterId });
      seen.push(...page.map((task) => task.id));
      afterId = page.at(-1)?.id;
      // Takes from what has been shown, and adds behind it.
      for (let count = 0; count < 3 && afterId !== undefined; count++) await board.take(bob);
    } while (afterId !== undefined);
    expect(seen).toEqual(expected);
  });

  test('goes on from a task that has been taken since', async () => {
    const board = await openBoard();
    const [a, b] = [await board.add('a'), await board.add('b')];
    const [first] = await board.tasks.ready({}, { limit: 1 });
    expect(first?.id).toBe(a.id);
    await board.claim(a.id, bob);
    expect((await board.tasks.ready({}, { limit: 1, afterId: a.id })).map((task) => task.id)).toEqual([b.id]);
  });
});

describe('a search for text', () => {
  test('looks into title, key and description, in any case', async () => {
    const board = await openBoard();
    await board.add('Write the PARSER');
    await board.add('two', { key: 'parser-tests' });
    await board.add('three', { description: 'see Parser' });
    await board.add('four');
    expect(await titles(board, { text: 'parser' })).toEqual(['three', 'two', 'Write the PARSER']);
    expect(await titles(board, { text: 'PARSER', status: 'pending', project: '/a' })).toHaveLength(3);
  });

  test('takes %, _ and \\ as they are', async () => {
    const board = await openBoard();
    await board.add('100% sure');
    await board.add('100 percent');
    await board.add('snake_case');
    await board.add('snakeXcase');
    await board.add('C:\\temp');
    expect(await titles(board, { text: '100%' })).toEqual(['100% sure']);
    expect(await titles(board, { text: 'e_c' })).toEqual(['snake_case']);
    expect(await titles(board, { text: ':\\t' })).toEqual(['C:\\temp']);
    expect(await titles(board, { text: '%' })).toEqual(['100% sure']);
  });

  test('finds letters beyond ASCII, also in another case', async () => {
    const board = await openBoard();
    await board.add('Über Größe');
    await board.add('日本語のタスク');
    await board.add('Ship it 🚀');
    for (const text of ['Über', 'über', 'ÜBER', 'größe', 'GRÖ']) {
      expect(await titles(board, { text })).toEqual(['Über Größe']);
    }
    expect(await titles(board, { text: '本語' })).toEqual(['日本語のタスク']);
    expect(await titles(board, { text: '🚀' })).toEqual(['Ship it 🚀']);
  });
});
