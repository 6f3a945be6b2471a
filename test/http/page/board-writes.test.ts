import { expect, it } from 'vitest';
import { readTasksById } from '../../../src/core/overview/board.js';
import { serve } from '../serve.js';

const actor = { holder: null, project: '' };

async function board() {
  const { send, runtime } = await serve({ page: { answer: () => undefined } });
  const write = async (name: string, body: object) => {
    const { status, data } = await send('POST', `/api/page/${name}`, { body: JSON.stringify(body) });
    return { status, data };
  };
  const states = async () => Object.fromEntries((await tasks()).map(({ title, state }) => [title, state]));
  const tasks = () =>
    readTasksById(
      runtime.db,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  return { send, runtime, write, states, tasks };
}

it('does the same to many tasks, says what was refused and why, and how to undo it', async () => {
  const { runtime, write, states } = await board();
  await runtime.tasks.create(
    [
      { title: 'first', key: 'first' },
      { title: 'after', dependencies: ['first'], onDependencyFailure: 'skip' },
      { title: 'done' },
    ],
    actor,
  );
  await runtime.tasks.updateStatus({ task: 3, status: 'completed' }, actor);
  const cancelled = await write('change_tasks', { change: 'cancel', task_ids: [1, 2, 3, 99] });
  expect(cancelled.data).toEqual({
    done: [1, 2],
    refused: [
      { id: 99, title: '', message: 'No task has id 99.' },
      { id: 3, title: 'done', message: 'Task 3 is completed and cannot become cancelled.' },
    ],
    undo: [{ change: 'reopen', task_ids: [1, 2] }],
  });
  expect(await states()).toEqual({ first: 'cancelled', after: 'cancelled', done: 'completed' });
  const undone = await write('change_tasks', cancelled.data.undo[0]);
  expect(undone.data).toEqual({ done: [1, 2], refused: [], undo: [{ change: 'cancel', task_ids: [1, 2] }] });
  expect(await states()).toEqual({ first: 'ready', after: 'waiting', done: 'completed' });
  expect((await write('change_tasks', { change: 'reopen', task_ids: [1] })).data.refused[0].message).toBe(
    'Task 1 is open already.',
  );
});

it('opens a task after the one whose failure its policy heeds, in whatever order they are named', async () => {
  const { runtime, write, states } = await board();
  await runtime.tasks.create([{ title: 'late' }, { title: 'cause', key: 'cause' }], actor);
  await runtime.tasks.edit(1, { dependencies: ['cause'], onDependencyFailure: 'cancel' }, actor);
  await runtime.tasks.updateStatus({ task: 1, status: 'cancelled' }, actor);
  await runtime.tasks.updateStatus({ task: 2, status: 'failed', error: 'no' }, actor);
  expect((await write('change_tasks', { change: 'reopen', task_ids: [1, 2] })).data).toMatchObject({
    done: [1, 2],
    refused: [],
    undo: [],
  });
  expect(await states()).toEqual({ late: 'waiting', cause: 'ready' });
});

it('does not take a task from a worker that lives', async () => {
  const { runtime, write, states } = await board();
  await runtime.tasks.create([{ title: 'held' }], actor);
  await runtime.tasks.updateStatus(
    { task: 1, status: 'in_progress', claim: { leaseSeconds: 3_600 } },
    { holder: 'session:x', project: '' },
  );
  const { data } = await write('change_tasks', { change: 'reopen', task_ids: [1] });
  expect(data.done).toEqual([]);
  expect(data.refused[0].message).toContain('session:x');
  expect(await states()).toEqual({ held: 'in_progress' });
});

it('gives all tasks of a filter another priority or goal, and each its own back', async () => {
  const { runtime, write, tasks } = await board();
  const here = await runtime.goals.create({ name: 'Here', description: '' }, actor);
  const there = await runtime.goals.create({ name: 'There', description: '' }, actor);
  await runtime.tasks.create(
    [
      { title: 'a', goalId: here.id, priority: 2 },
      { title: 'b', goalId: here.id, priority: 8 },
      { title: 'c', priority: 3 },
    ],
    actor,
  );
  const filter = { goal_id: here.id };
  const raised = await write('change_tasks', { change: 'priority', priority: 10, filter });
  expect(raised.data.done).toEqual([1, 2]);
  expect((await tasks()).map(({ priority }) => priority)).toEqual([10, 10, 3]);
  for (const step of raised.data.undo) await write('change_tasks', step);
  expect((await tasks()).map(({ priority }) => priority)).toEqual([2, 8, 3]);

  const moved = await write('change_tasks', { change: 'goal', goal_id: there.id, task_ids: [1, 2, 3] });
  expect((await tasks()).map(({ goalId }) => goalId)).toEqual([there.id, there.id, there.id]);
  for (const step of moved.data.undo) await write('change_tasks', step);
  expect((await tasks()).map(({ goalId }) => goalId)).toEqual([here.id, here.id, null]);

  // A task takes the project of its goal and would not find back out of it.
  const far = await runtime.goals.create({ name: 'Far', description: '' }, { holder: null, project: '/far' });
  const away = await write('change_tasks', { change: 'goal', goal_id: far.id, task_ids: [3] });
  expect(away.data).toMatchObject({ done: [3], undo: [] });
});

it('is refused whole where it says nothing or two things, and to those who may only look', async () => {
  const { runtime, write } = await board();
  await runtime.tasks.create([{ title: 'a' }], actor);
  for (const body of [
    { change: 'cancel' },
    { change: 'cancel', task_ids: [1], filter: {} },
    { change: 'priority', task_ids: [1] },
    { change: 'goal', task_ids: [1] },
    { change: 'delete', task_ids: [1] },
  ]) {
    expect((await write('change_tasks', body)).status, JSON.stringify(body)).toBe(400);
  }
  expect((await runtime.tasks.get(1)).status).toBe('pending');
  const readOnly = await serve({ page: { answer: () => undefined }, isReadOnly: true });
  const answer = await readOnly.send('POST', '/api/page/change_tasks', { body: '{"change":"cancel","task_ids":[1]}' });
  expect(answer.status).toBe(403);
});

it('edits every field of a task, also the output that its plan expects', async () => {
  const { runtime, write } = await board();
  await runtime.tasks.create([{ title: 'a', key: 'a', expectedOutput: 'a list' }, { title: 'b' }], actor);
  const edit = {
    task_id: 2,
    title: 'B',
    description: 'about',
    acceptance: 'when',
    expected_output: 'a table',
    dependencies: ['a'],
    deadline: '2099-01-01T00:00:00Z',
    key: 'bee',
    metadata: { tags: ['x'] },
  };
  expect((await write('edit_task', edit)).status).toBe(200);
  expect(await runtime.tasks.get('bee')).toMatchObject({
    title: 'B',
    description: 'about',
    acceptance: 'when',
    expectedOutput: 'a table',
    dependencies: [1],
    metadata: { tags: ['x'] },
  });
  await write('edit_task', { task_id: 2, expected_output: null, deadline: null, key: null });
  expect(await runtime.tasks.get(2)).toMatchObject({ expectedOutput: null, deadlineAt: null, key: null });
});

it('brings a cancelled goal back with the tasks that were cancelled with it, and no others', async () => {
  const { runtime, write, states } = await board();
  const goal = await runtime.goals.create({ name: 'G', description: '' }, actor);
  const of = { goalId: goal.id };
  await runtime.tasks.create(
    [
      { title: 'dropped', ...of },
      { title: 'done', ...of },
      { title: 'open', key: 'open', ...of },
      { title: 'after', dependencies: ['open'], onDependencyFailure: 'cancel', ...of },
      { title: 'held', ...of },
      { title: 'elsewhere', dependencies: ['open'], onDependencyFailure: 'skip' },
    ],
    actor,
  );
  await runtime.tasks.updateStatus({ task: 1, status: 'cancelled' }, actor);
  await runtime.tasks.updateStatus({ task: 2, status: 'completed' }, actor);
  await runtime.tasks.updateStatus(
    { task: 5, status: 'in_progress', claim: { leaseSeconds: 60 } },
    { holder: 'session:x', project: '' },
  );
  await runtime.goals.edit(goal.id, { status: 'cancelled' }, actor);
  expect(await states()).toEqual({
    dropped: 'cancelled',
    done: 'completed',
    open: 'cancelled',
    after: 'cancelled',
    held: 'cancelled',
    elsewhere: 'cancelled',
  });
  const { data } = await write('reopen_goal', { goal_id: goal.id });
  expect(data).toEqual({ goal_id: goal.id, reopened: 3 });
  expect(await states()).toEqual({
    dropped: 'cancelled',
    done: 'completed',
    open: 'ready',
    after: 'waiting',
    held: 'ready',
    elsewhere: 'waiting',
  });
  expect((await runtime.tasks.get(5)).error).toBeNull();
  expect((await write('reopen_goal', { goal_id: goal.id })).data.error.message).toBe(
    `Goal ${goal.id} "G" is active, not cancelled.`,
  );
});

it('lists goals by what needs attention, by name or newest first, and finds them by a part of their text', async () => {
  const { runtime, send } = await board();
  for (const name of ['Zebra', 'apple ﷺ', 'Mango']) {
    await runtime.goals.create({ name, description: name === 'Mango' ? 'a 100% fruit' : '' }, actor);
  }
  await runtime.tasks.create(
    [
      { title: 'fails', goalId: 1 },
      { title: 'x', goalId: 2 },
    ],
    actor,
  );
  await runtime.tasks.updateStatus({ task: 1, status: 'failed', error: 'e' }, actor);
  await runtime.goals.edit(3, { status: 'cancelled' }, actor);
  const names = async (input: object) => {
    const { data } = await send('GET', `/api/page/goals?input=${encodeURIComponent(JSON.stringify(input))}`);
    return { names: data.goals.map(({ name }: { name: string }) => name), next: data.next_cursor };
  };
  expect((await names({})).names).toEqual(['Mango', 'apple ﷺ', 'Zebra']);
  expect((await names({ order: 'attention' })).names).toEqual(['Zebra', 'apple ﷺ', 'Mango']);
  expect((await names({ order: 'name' })).names).toEqual(['apple ﷺ', 'Mango', 'Zebra']);
  expect((await names({ text: '100%' })).names).toEqual(['Mango']);
  const first = await names({ order: 'name', limit: 2 });
  expect(first.names).toEqual(['apple ﷺ', 'Mango']);
  expect(await names({ order: 'name', limit: 2, cursor: first.next })).toEqual({ names: ['Zebra'], next: undefined });
});

it('ends a task that another holds, or leaves the claim where that is refused', async () => {
  const { runtime, write } = await board();
  const ada = { holder: 'session:ada', project: '' };
  await runtime.tasks.create(
    [
      { title: 'before', key: 'before' },
      { title: 'held', dependencies: ['before'] },
    ],
    actor,
  );
  await runtime.tasks.updateStatus({ task: 1, status: 'completed' }, actor);
  await runtime.tasks.updateStatus({ task: 2, status: 'in_progress' }, ada);
  await runtime.tasks.updateStatus({ task: 1, status: 'pending' }, actor);
  const end = { task_id: 2, status: 'completed', text: 'By hand.' };
  const refused = await write('end_task', end);
  expect(refused.status).toBe(409);
  expect(await runtime.tasks.get(2)).toMatchObject({ status: 'in_progress', claimedBy: 'session:ada', result: null });
  await runtime.tasks.updateStatus({ task: 1, status: 'completed' }, actor);
  expect((await write('end_task', end)).data).toMatchObject({ status: 'completed' });
  expect(await runtime.tasks.get(2)).toMatchObject({ status: 'completed', result: 'By hand.' });
  await expect(
    runtime.tasks.updateStatus({ task: 2, status: 'completed', result: 'Mine.', claimToken: 1 }, ada),
  ).rejects.toMatchObject({ code: 'stale_claim' });
  expect((await write('end_task', { task_id: 2, status: 'failed' })).status).toBe(409);
});
