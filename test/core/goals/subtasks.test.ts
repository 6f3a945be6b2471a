import { describe, expect, test } from 'vitest';
import type { PlannedTask } from '../../../src/core/goals/plan.js';
import { testRuntime } from '../../support/test-runtime.js';

const ada = { holder: 'session:ada', project: '' };
const bob = { holder: 'session:bob', project: '' };
const plan: PlannedTask[] = [{ title: 'Left' }, { title: 'Right' }, { title: 'Join', depends_on: ['Left', 'Right'] }];

async function openBoard() {
  const runtime = await testRuntime();
  const { tasks, goals } = runtime;
  return {
    ...runtime,
    async add(title: string, more = {}) {
      const [task] = await tasks.create([{ title, ...more }], ada);
      return task?.id ?? 0;
    },
    async split(task: number, planned: PlannedTask[] = plan, actor = ada) {
      const parts = await goals.decomposeTask({ task, strategy: 'parallel', tasks: planned }, actor);
      return parts.map(({ id }) => id) as [number, number, number];
    },
    async done(...ids: number[]) {
      for (const task of ids) await tasks.updateStatus({ task, status: 'completed', result: `Did ${task}.` }, ada);
    },
    statuses: async (...ids: number[]) => Promise.all(ids.map(async (id) => (await tasks.get(id)).status)),
  };
}

describe('a task that is broken into parts', () => {
  test('waits for them, and is done when they are, and its goal with it', async () => {
    const board = await openBoard();
    const { id: goalId } = await board.goals.create({ name: 'G', description: '' }, ada);
    const whole = await board.add('Whole', { goalId, priority: 8 });
    const [left, right, join] = await board.split(whole);
    expect(await board.tasks.get(whole)).toMatchObject({ isReady: false, subtasks: [left, right, join] });
    expect(await board.tasks.get(left)).toMatchObject({ parentId: whole, goalId, priority: 8, isReady: true });
    await board.done(left, right);
    expect(await board.statuses(whole, join)).toEqual(['pending', 'pending']);
    await board.done(join);
    expect(await board.tasks.get(whole)).toMatchObject({
      status: 'completed',
      result: `Done by its subtasks: ${left} "Left", ${right} "Right", ${join} "Join".`,
    });
    expect((await board.goals.get(goalId)).status).toBe('completed');
  });

  test('has parts that wait for what it waited for, and take its failure policy', async () => {
    const board = await openBoard();
    const before = await board.add('Before');
    const whole = await board.add('Whole', { dependencies: [before], onDependencyFailure: 'cancel' });
    const [left, , join] = await board.split(whole);
    expect(await board.tasks.get(left)).toMatchObject({ dependencies: [before], isReady: false });
    await board.tasks.updateStatus({ task: before, status: 'failed', error: 'No.' }, ada);
    expect(await board.statuses(left, join, whole)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  test('is ready again when its parts are done if it has acceptance criteria, for someone to check', async () => {
    const board = await openBoard();
    const whole = await board.add('Whole', { acceptance: 'It fits.' });
    const parts = await board.split(whole);
    await board.done(...parts);
    expect(await board.tasks.get(whole)).toMatchObject({ status: 'pending', isReady: true });
    expect((await board.tasks.get(whole)).dependencyResults).toHaveLength(3);
  });

  test('takes its parts and theirs with it when it is cancelled; what is done stays done', async () => {
    const board = await openBoard();
    const whole = await board.add('Whole');
    const [left, right, join] = await board.split(whole);
    const [deep, deeper] = await board.split(right, [{ title: 'Deep' }, { title: 'Deeper', depends_on: ['Deep'] }]);
    const outside = await board.add('Outside', { dependencies: [deep], onDependencyFailure: 'skip' });
    await board.done(left);
    await board.tasks.updateStatus({ task: deep, status: 'in_progress' }, bob);
    await board.tasks.updateStatus({ task: whole, status: 'cancelled' }, ada);
    expect(await board.statuses(whole, left, right, join, deep, deeper, outside)).toEqual([
      'cancelled',
      'completed',
      'cancelled',
      'cancelled',
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
    expect(await board.tasks.get(deeper)).toMatchObject({
      isSkipped: false,
      error: `Task ${whole}, which it is part of, was cancelled.`,
    });
    expect((await board.tasks.get(outside)).isSkipped).toBe(true);
  });

  test('is open again when one of its parts is reopened, up to the top', async () => {
    const board = await openBoard();
    const top = await board.add('Top');
    const [middle] = await board.split(top, [{ title: 'Middle' }]);
    const [part] = await board.split(middle, [{ title: 'Part' }]);
    await board.done(part);
    expect(await board.statuses(top, middle, part)).toEqual(['completed', 'completed', 'completed']);
    await board.tasks.updateStatus({ task: part, status: 'pending' }, ada);
    expect(await board.statuses(top, middle, part)).toEqual(['pending', 'pending', 'pending']);
    expect((await board.tasks.get(top)).isReady).toBe(false);
    await board.done(part);
    expect(await board.statuses(top, middle)).toEqual(['completed', 'completed']);
  });

  test('may be in the hands of the one who breaks it down, and of no other', async () => {
    const board = await openBoard();
    const whole = await board.add('Whole');
    await board.tasks.updateStatus({ task: whole, status: 'in_progress' }, bob);
    await expect(board.split(whole)).rejects.toMatchObject({ code: 'already_claimed' });
    expect((await board.tasks.get(whole)).subtasks).toEqual([]);
    await board.split(whole, plan, bob);
    expect(await board.tasks.get(whole)).toMatchObject({ status: 'pending', claimedBy: null, attempts: 0 });
  });

  test('must be open, and a plan that cannot be used changes nothing', async () => {
    const board = await openBoard();
    const whole = await board.add('Whole');
    await expect(board.split(whole, [{ title: 'A', depends_on: ['Nobody'] }])).rejects.toMatchObject({
      code: 'invalid',
    });
    expect(await board.tasks.get(whole)).toMatchObject({ subtasks: [], dependencies: [], isReady: true });
    await board.done(whole);
    await expect(board.split(whole)).rejects.toMatchObject({ code: 'conflict' });
  });
});
