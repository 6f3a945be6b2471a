import { expect, it } from 'vitest';
import type { NewTask } from '../../../src/core/tasks/create-tasks.js';
import { alice, openBoard } from './board.js';

const titled = (title: string, ...dependencies: (string | number)[]): NewTask => ({ title, dependencies });

async function dependenciesOf(tasks: NewTask[], existing = 1) {
  const board = await openBoard();
  for (let id = 1; id <= existing; id++) await board.add(`old ${id}`, { key: `old-${id}` });
  const created = await board.tasks.create(tasks, alice);
  const titles = new Map((await board.tasks.list({ limit: 100 })).map(({ id, title }) => [id, title]));
  return created.map(({ dependencies }) => dependencies.map((id) => titles.get(id)));
}

it('tasks created together depend on each other by places, counted from 0, in any order', async () => {
  expect(await dependenciesOf([titled('a'), titled('b', 0), titled('c', 1, '0')])).toEqual([[], ['a'], ['a', 'b']]);
  expect(await dependenciesOf([titled('c', 1), titled('b', 2), titled('a'), titled('d', 0)])).toEqual([
    ['b'],
    ['a'],
    [],
    ['c'],
  ]);
});

it('without a 0 among them, numbers are ids of tasks on the board', async () => {
  expect(await dependenciesOf([titled('a', 1), titled('b', 2)], 2)).toEqual([['old 1'], ['old 2']]);
});

it('tasks created together depend on each other by title, in any case', async () => {
  expect(await dependenciesOf([titled('Deploy', 'build it '), titled('Build it')])).toEqual([['Build it'], []]);
});

it('a key on the board or of the batch comes before a title', async () => {
  expect(await dependenciesOf([titled('old-1'), titled('b', 'old-1')])).toEqual([[], ['old 1']]);
  expect(await dependenciesOf([titled('x'), { title: 'y', key: 'x' }, titled('z', 'x')])).toEqual([[], [], ['y']]);
});

it('places that are not there, shared titles and cycles are refused, and nothing is created', async () => {
  const board = await openBoard();
  const refused: [NewTask[], string][] = [
    [[titled('a'), titled('b', 0, 12)], 'none at place 12'],
    [[titled('a'), titled('a'), titled('b', 'a')], '"a" is the title of 2 tasks'],
    [[titled('a', 1), titled('b', 0)], 'would wait for each other'],
    [[titled('a', 0)], 'would wait for each other'],
  ];
  for (const [tasks, message] of refused) {
    await expect(board.tasks.create(tasks, alice), message).rejects.toThrow(message);
  }
  expect(await board.tasks.list({ limit: 10 })).toEqual([]);
});
