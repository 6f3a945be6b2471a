import { describe, expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

const long = 'x'.repeat(3_000);

/** A server with as many tasks, each waiting for the one before it if they are chained. */
async function board(count: number, { isChain = false, keys = true } = {}) {
  const server = await connectServer({ home: tempDir() });
  const tasks = Array.from({ length: count }, (_, index) => ({
    title: `Task ${index} with a title of a usual length`,
    ...(keys ? { key: `task-${index}` } : {}),
    ...(isChain && index > 0 ? { dependencies: [`task-${index - 1}`] } : {}),
  }));
  const created = await server.ok('create_tasks', { tasks });
  return { ...server, created };
}

describe('an update answers with what it has done, not with what was sent', () => {
  it('completing a task names those that can be claimed now', async () => {
    const { ok } = await board(3, { isChain: true });
    const answer = await ok('update_task_status', { task_id: 'task-0', status: 'completed', result: long });
    expect(answer).toMatchObject({ id: 1, key: 'task-0', status: 'completed', now_ready: [2] });
    expect(JSON.stringify(answer).length).toBeLessThan(200);
    expect((await ok('get_task', { task_id: 1, fields: 'full' })).result).toBe(long);
  });

  it('reopening it names those that wait again', async () => {
    const { ok } = await board(2, { isChain: true });
    await ok('update_task_status', { task_id: 1, status: 'completed' });
    const answer = await ok('update_task_status', { task_id: 1, status: 'pending' });
    expect(answer).toMatchObject({ id: 1, status: 'pending', ready: true, waiting_again: [2] });
  });

  it('a failure names those that it stops, by their policies, and those that it does not', async () => {
    const { ok } = await board(1);
    for (const on_dependency_failure of ['skip', 'cancel', 'run', 'block']) {
      await ok('create_task', { title: on_dependency_failure, dependencies: [1], on_dependency_failure });
    }
    await ok('create_task', { title: 'after the skipped one', dependencies: [2] });
    const answer = await ok('update_task_status', { task_id: 1, status: 'failed', error: 'boom' });
    expect(answer).toMatchObject({ status: 'failed', skipped: [2], cancelled: [3], now_ready: [4, 6] });
    expect(answer.error).toBeUndefined();
    const again = await ok('update_task_status', { task_id: 1, status: 'pending' });
    expect(again).toMatchObject({ reopened: [2, 3] });
  });

  it('the last part of a task completes the whole and its goal, and cancelling a whole cancels its parts', async () => {
    const { ok } = await board(1);
    const { id: goal_id } = await ok('create_goal', { name: 'G', description: '' });
    const { id: task_id } = await ok('create_task', { title: 'whole', goal_id });
    await ok('decompose_task', { task_id, tasks: [{ title: 'one' }, { title: 'two' }] });
    await ok('update_task_status', { task_id: 3, status: 'completed' });
    const last = await ok('update_task_status', { task_id: 4, status: 'completed' });
    expect(last).toMatchObject({ completed: [2], goal: { id: goal_id, status: 'completed' } });
    await ok('decompose_task', { task_id: 1, tasks: [{ title: 'one' }, { title: 'two' }] });
    const cancelled = await ok('update_task_status', { task_id: 1, status: 'cancelled' });
    expect(cancelled).toMatchObject({ cancelled: [5, 6] });
  });

  it('a claim comes with its token and the time until which it lives', async () => {
    const { ok } = await board(1);
    const claimed = await ok('update_task_status', { task_id: 1, status: 'in_progress' });
    expect(claimed).toMatchObject({ claim_token: 1, lease_expires_at: expect.any(String) });
  });

  it('edits of tasks and goals, and new ones, do not repeat long texts', async () => {
    const { ok } = await board(2, { isChain: true });
    const edited = await ok('edit_task', { task_id: 2, description: long, dependencies: [] });
    expect(edited).toEqual({ id: 2, key: 'task-1', title: expect.any(String), status: 'pending', ready: true });
    const goal = await ok('create_goal', { name: 'G', description: long });
    expect(goal.description).toHaveLength(100);
    expect(await ok('update_goal', { goal_id: goal.id, description: long })).toEqual({
      id: goal.id,
      status: 'active',
      progress: expect.any(Object),
    });
    const task = await ok('create_task', { title: 'T', description: long, acceptance: long });
    expect([task.description.length, task.acceptance.length]).toEqual([100, 100]);
    expect((await ok('get_goal', { goal_id: goal.id, fields: 'full' })).description).toBe(long);
  });

  it('a goal that is made active again says what stays cancelled', async () => {
    const { ok } = await board(1);
    const { id: goal_id } = await ok('create_goal', { name: 'G', description: '' });
    await ok('create_task', { title: 'T', goal_id });
    await ok('update_goal', { goal_id, status: 'cancelled' });
    expect((await ok('update_goal', { goal_id, status: 'active' })).note).toMatch(/^1 of its tasks stay cancelled/);
  });
});

describe('many tasks at once', () => {
  it('are answered with the range of their ids; a few with each id and key', async () => {
    const { created, ok } = await board(500);
    expect(created).toEqual({ count: 500, ids: '1-500' });
    const few = await ok('create_tasks', { tasks: [{ title: 'a', key: 'a' }, { title: 'b' }] });
    expect(few).toEqual({ count: 2, ids: '501-502', tasks_created: [501, 502], keys: { a: 501 } });
    const { id: goal_id } = await ok('create_goal', { name: 'G', description: '' });
    const tasks = Array.from({ length: 60 }, (_, index) => ({ title: `step ${index}` }));
    const planned = await ok('decompose_goal', { goal_id, tasks });
    expect(planned).toEqual({ goal_id, strategy: 'sequential', planner: 'caller', count: 60, ids: '503-562' });
  });
});

describe('a list', () => {
  it('of more than fits says how many there are and how to go on, and leads through all of them', async () => {
    const { ok } = await board(100);
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await ok('list_tasks', cursor === undefined ? {} : { cursor });
      expect(page.total).toBe(100);
      if (cursor === undefined) expect(page.count).toBeGreaterThanOrEqual(30);
      seen.push(...page.tasks.map(({ id }: { id: number }) => id));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => 100 - index));
  });

  it('shows each item with all its fields where there are few, or where a limit is given', async () => {
    const { ok } = await board(40);
    const row = {
      id: 40,
      key: 'task-39',
      title: 'Task 39 with a title of a usual length',
      status: 'pending',
      priority: 5,
    };
    expect((await ok('list_tasks', { limit: 40 })).tasks[0]).toEqual(row);
    const small = await board(3);
    expect(await small.ok('list_tasks')).toMatchObject({
      count: 3,
      total: 3,
      tasks: [{ id: 3, status: 'pending' }, {}, {}],
    });
    expect((await small.ok('list_tasks')).defaults).toBeUndefined();
  });

  it('says what an item has that differs from most', async () => {
    const { ok } = await board(60);
    await ok('update_task_status', { task_id: 59, status: 'cancelled' });
    await ok('edit_task', { task_id: 58, priority: 9 });
    const { tasks, defaults } = await ok('list_tasks');
    expect(defaults).toEqual({ status: 'pending', priority: 5 });
    expect(tasks.slice(0, 3)).toEqual([
      { id: 60, title: expect.any(String) },
      { id: 59, title: expect.any(String), status: 'cancelled' },
      { id: 58, title: expect.any(String), priority: 9 },
    ]);
  });

  it('of tasks is kept to those that are ready, or to those that are blocked', async () => {
    const { ok } = await board(6, { isChain: true });
    await ok('create_task', { title: 'later', not_before: '2099-01-01T00:00:00Z' });
    const idsOf = async (args: object) =>
      (await ok('list_tasks', args as Record<string, unknown>)).tasks.map(({ id }: { id: number }) => id);
    expect(await idsOf({ status: 'ready' })).toEqual([1]);
    expect(await idsOf({ status: 'Blocked' })).toEqual([7, 6, 5, 4, 3, 2]);
    await ok('update_task_status', { task_id: 1, status: 'completed' });
    expect(await idsOf({ status: 'ready' })).toEqual([2]);
    expect(await idsOf({ status: 'blocked', text: 'later' })).toEqual([7]);
    const { id: goal_id } = await ok('create_goal', { name: 'G', description: '' });
    await ok('decompose_goal', { goal_id, tasks: [{ title: 'a' }, { title: 'b' }] });
    expect(await idsOf({ status: 'ready', goal_id })).toEqual([8]);
    expect(await idsOf({ status: 'blocked', goal_id })).toEqual([9]);
  });
});

describe('the text of an answer', () => {
  it('of a list in the form of an earlier system is followed by how to go on', async () => {
    const { client, ok } = await board(80);
    const { content } = (await client.callTool({ name: 'get_available_tasks', arguments: { limit: 5 } })) as {
      content: { text: string }[];
    };
    expect(JSON.parse(content[0]?.text ?? '')).toHaveLength(5);
    expect(content[1]?.text).toBe('5 of 80 are shown. The next page: cursor "5".');
    expect((await ok('get_available_tasks', { cursor: '5', limit: 1 })).tasks[0].number).toBe(6);
  });

  it('of a claim has all that its worker needs', async () => {
    const { client, ok } = await board(1);
    const { slot } = await ok('claim_worker_slot', { worker_id: 'ada' });
    const claim = { taskId: '1', workerId: 'ada', workerSlot: slot };
    const { content } = (await client.callTool({ name: 'claim_task', arguments: claim })) as {
      content: { text: string }[];
    };
    expect(content[0]?.text).toBe('Successfully claimed task task-0 for worker ada');
    expect(content[1]?.text).toMatch(/^Title: Task 0 .*\nDescription: .*\nclaim_token: 1, until 20\d\d-/);
  });
});
