import { describe, expect, test } from 'vitest';
import type { NewTemplate } from '../../../src/core/tasks/templates.js';
import { alice, type Board, openBoard } from './board.js';

const release: NewTemplate = {
  name: 'release',
  description: 'What a release takes',
  tasks: [
    {
      title: 'Test {{version}} on {{ platform }}',
      key: 'test-{{version}}',
      description: 'All suites of {{version}}',
      priority: 9,
    },
    {
      title: 'Publish {{version}}',
      key: 'publish-{{version}}',
      dependencies: ['test-{{version}}'],
      acceptance: '{{version}} can be installed',
      maxAttempts: 1,
    },
  ],
};

const use = (values: Record<string, string>, more: { goalId?: number } = {}) => ({
  name: 'release',
  parameters: new Map(Object.entries(values)),
  ...more,
});

async function boardWithRelease(): Promise<Board> {
  const board = await openBoard();
  await board.tasks.saveTemplate(release, alice);
  return board;
}

describe('a task template', () => {
  test('is stored with the names of its parameters, and listed by name', async () => {
    const board = await boardWithRelease();
    await board.tasks.saveTemplate({ name: 'bug', description: '', tasks: [{ title: 'Fix' }] }, alice);
    const templates = await board.tasks.listTemplates({ limit: 10 });
    expect(templates.map(({ name, parameters }) => ({ name, parameters }))).toEqual([
      { name: 'bug', parameters: [] },
      { name: 'release', parameters: ['version', 'platform'] },
    ]);
    const second = await board.tasks.listTemplates({ limit: 10, afterName: 'bug' });
    expect(second.map((template) => template.name)).toEqual(['release']);
  });

  test('takes the place of an earlier one of its name', async () => {
    const board = await boardWithRelease();
    const [created] = await board.tasks.listTemplates({ limit: 1 });
    board.clock.pass(1_000);
    await board.tasks.saveTemplate({ ...release, tasks: [{ title: 'Only' }] }, alice);
    const templates = await board.tasks.listTemplates({ limit: 10 });
    expect(templates).toHaveLength(1);
    expect(templates[0]).toMatchObject({
      tasks: [{ title: 'Only' }],
      createdAt: created?.createdAt,
      updatedAt: board.clock.now(),
    });
  });

  test('without tasks, with one key twice or with a cycle is refused when it is saved', async () => {
    const board = await openBoard();
    const save = (tasks: NewTemplate['tasks']) => board.tasks.saveTemplate({ ...release, tasks }, alice);
    await expect(save([])).rejects.toMatchObject({ code: 'invalid' });
    const [test1] = release.tasks;
    if (!test1) throw new Error('The fixture has lost its task.');
    await expect(save([test1, test1])).rejects.toMatchObject({ code: 'conflict' });
    await expect(save([{ ...test1, dependencies: ['test-{{version}}'] }])).rejects.toMatchObject({
      code: 'dependency_cycle',
    });
    expect(await board.tasks.listTemplates({ limit: 10 })).toEqual([]);
  });
});

describe('tasks from a template', () => {
  test('have the values in titles, descriptions, keys, acceptance and dependencies', async () => {
    const board = await boardWithRelease();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const values = use({ version: '2.0', platform: 'Linux' }, { goalId: goal.id });
    const [tested, published] = await board.tasks.createFromTemplate(values, alice);
    expect(tested).toMatchObject({
      title: 'Test 2.0 on Linux',
      key: 'test-2.0',
      description: 'All suites of 2.0',
      priority: 9,
      goalId: goal.id,
    });
    expect(published).toMatchObject({
      title: 'Publish 2.0',
      acceptance: '2.0 can be installed',
      dependencies: [tested?.id],
      maxAttempts: 1,
      goalId: goal.id,
    });
  });

  test('take a value as it is, even one that looks like a parameter or a pattern', async () => {
    const board = await boardWithRelease();
    const [task] = await board.tasks.createFromTemplate(use({ version: '$& {{platform}}', platform: '' }), alice);
    expect(task?.title).toBe('Test $& {{platform}} on ');
  });

  test('need a value for each parameter and for nothing else, or the error names it', async () => {
    const board = await boardWithRelease();
    await expect(board.tasks.createFromTemplate(use({ version: '1' }), alice)).rejects.toMatchObject({
      code: 'invalid',
      message: 'The template release was given no value for its parameter platform.',
      hint: 'It takes: version, platform.',
    });
    const tooMany = use({ version: '1', platform: 'x', colour: 'red', toString: 'y' });
    await expect(board.tasks.createFromTemplate(tooMany, alice)).rejects.toMatchObject({
      code: 'invalid',
      message:
        'The template release was given a value for colour, which it does not have, and a value for toString, which it does not have.',
    });
    expect(await board.tasks.list({ limit: 10 })).toEqual([]);
  });

  test('are made all or none: the second use of the same keys changes nothing', async () => {
    const board = await boardWithRelease();
    await board.add('In the way', { key: 'publish-3' });
    const values = use({ version: '3', platform: 'x' });
    await expect(board.tasks.createFromTemplate(values, alice)).rejects.toMatchObject({ code: 'conflict' });
    expect(await board.tasks.list({ limit: 10 })).toHaveLength(1);
  });

  test('of a template that does not exist are not_found, naming those there are', async () => {
    const board = await boardWithRelease();
    await expect(
      board.tasks.createFromTemplate({ name: 'relase', parameters: new Map() }, alice),
    ).rejects.toMatchObject({
      code: 'not_found',
      message: 'No task template is called relase.',
      hint: 'There are: release. Call list_task_templates for all.',
    });
  });

  test('whose title would be empty are refused', async () => {
    const board = await openBoard();
    await board.tasks.saveTemplate({ name: 'bare', description: '', tasks: [{ title: '{{title}}' }] }, alice);
    await expect(
      board.tasks.createFromTemplate({ name: 'bare', parameters: new Map([['title', ' ']]) }, alice),
    ).rejects.toMatchObject({ code: 'invalid' });
  });
});
