import { expect, it } from 'vitest';
import type { ImportedBoard } from '../../../src/core/goals/import-board.js';
import { exportBoard } from '../../../src/core/overview/export-board.js';
import { testRuntime } from '../../support/test-runtime.js';

const actor = { holder: null, project: '/app' };

const board: ImportedBoard = {
  source: 'beads',
  goals: [{ id: 'issues', name: 'App' }],
  tasks: [
    { id: 'epic', key: 'epic', goal: 'issues', title: 'Epic', status: 'pending', dependencies: [] },
    { id: 'b', key: 'b', goal: 'issues', title: 'B', status: 'pending', dependencies: ['a'], parent: 'epic' },
    {
      id: 'a',
      key: 'a',
      goal: 'issues',
      title: 'A',
      status: 'completed',
      dependencies: ['c'],
      parent: 'epic',
      result: 'done',
      createdAt: 1_000,
      startedAt: 2_000,
      completedAt: 3_000,
    },
    { id: 'c', goal: 'issues', title: 'C', status: 'cancelled', dependencies: [], discoveredFrom: 'b' },
  ],
};

it('an imported board is as it was: what was done is done, what waited waits, wholes wait for their parts', async () => {
  const { goals, tasks } = await testRuntime();
  expect(await goals.previewImport(board, actor)).toEqual({
    goals: { created: 1, present: 0 },
    tasks: { created: 4, present: 0 },
  });
  expect(await goals.importBoard(board, actor)).toEqual({
    goals: { created: 1, present: 0 },
    tasks: { created: 4, present: 0 },
  });
  const [epic, a, b] = [await tasks.get('epic'), await tasks.get('a'), await tasks.get('b')];
  expect(a).toMatchObject({
    status: 'completed',
    result: 'done',
    createdAt: 1_000,
    startedAt: 2_000,
    completedAt: 3_000,
  });
  expect(b).toMatchObject({ status: 'pending', isReady: true, dependencies: [a.id], project: '/app' });
  expect(epic).toMatchObject({ isReady: false, subtasks: [b.id, a.id].sort(), unfinishedDependencies: 1 });
  expect(await tasks.get(a.dependencies[0] ?? 0)).toMatchObject({
    title: 'C',
    status: 'cancelled',
    discoveredFrom: b.id,
  });
  await tasks.updateStatus({ task: 'b', status: 'completed' }, actor);
  expect((await tasks.get('epic')).status).toBe('completed');
});

it('a second import brings only what is new, and leaves what was done here', async () => {
  const { goals, tasks } = await testRuntime();
  await goals.importBoard(board, actor);
  await tasks.updateStatus({ task: 'b', status: 'completed' }, actor);
  const more: ImportedBoard = {
    ...board,
    tasks: [
      ...board.tasks,
      { id: 'd', key: 'd', goal: 'issues', title: 'D', status: 'pending', dependencies: ['b', 'a'], parent: 'epic' },
    ],
  };
  const counts = { goals: { created: 0, present: 1 }, tasks: { created: 1, present: 4 } };
  expect(await goals.previewImport(more, actor)).toEqual(counts);
  expect(await goals.importBoard(more, actor)).toEqual(counts);
  expect((await tasks.get('b')).status).toBe('completed');
  expect(await tasks.get('d')).toMatchObject({ isReady: true, goalId: 1 });
  expect(await goals.importBoard(more, actor)).toMatchObject({ tasks: { created: 0, present: 5 } });
  expect(await tasks.list({ limit: 100 })).toHaveLength(5);
});

it('a key in use, or a cycle, is refused, and nothing is written', async () => {
  const { goals, tasks } = await testRuntime();
  await tasks.create([{ title: 'Mine', key: 'a' }], actor);
  await expect(goals.importBoard(board, actor)).rejects.toMatchObject({ code: 'conflict' });
  const task = { title: 'x', status: 'pending' as const };
  const cycle: ImportedBoard = {
    source: 'beads',
    goals: [],
    tasks: [
      { ...task, id: 'x', dependencies: ['y'] },
      { ...task, id: 'y', dependencies: ['x'] },
    ],
  };
  await expect(goals.importBoard(cycle, actor)).rejects.toMatchObject({ code: 'dependency_cycle' });
  expect(await tasks.list({ limit: 100 })).toHaveLength(1);
  expect(await goals.list({ limit: 100 })).toEqual([]);
});

it('two projects that use the same ids do not take each other for known', async () => {
  const { goals } = await testRuntime();
  const keyless = { ...board, tasks: board.tasks.map((task) => ({ ...task, key: undefined })) };
  await goals.importBoard(keyless, actor);
  expect(await goals.importBoard(keyless, { holder: null, project: '/other' })).toMatchObject({
    tasks: { created: 4 },
  });
});

it('an export holds the whole board', async () => {
  const { db, goals, tasks } = await testRuntime();
  const goal = await goals.create({ name: 'G', description: 'd', tokenBudget: 500 }, actor);
  await tasks.create([{ title: 'T', key: 't', goalId: goal.id, priority: 9, metadata: { n: 1 } }], actor);
  await tasks.create([{ title: 'Of none', dependencies: ['t'] }], { holder: null, project: '' });
  const whole = await exportBoard(db, {});
  expect(whole).toMatchObject({
    format: 'agent-runtime-board',
    version: 1,
    goals: [{ id: 1, name: 'G', token_budget: 500, project: '/app' }],
    tasks: [
      { id: 1, key: 't', goal_id: 1, priority: 9, metadata: { n: 1 } },
      { id: 2, dependencies: [1], project: '' },
    ],
  });
  expect((await exportBoard(db, { goalId: 1 })).tasks).toHaveLength(1);
  expect((await exportBoard(db, { withinProject: '/other' })).tasks).toMatchObject([{ id: 2 }]);
  await expect(exportBoard(db, { goalId: 7 })).rejects.toMatchObject({ code: 'not_found' });
});
