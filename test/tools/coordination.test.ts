import { expect, it } from 'vitest';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

/** A worker in slot 1 that has claimed "setup-db", the third task of the board, for which "load" waits. */
async function atWork() {
  const server = await connectServer({ home: tempDir() });
  await server.ok('create_tasks', { tasks: [{ title: 'first' }, { title: 'second' }] });
  await server.ok('add_task', { id: 'setup-db', description: 'Set the database up.' });
  await server.ok('add_task', { id: 'load', description: 'Load it.', dependencies: ['setup-db'] });
  await server.ok('claim_worker_slot', { worker_id: 'w1' });
  await server.ok('claim_task', { taskId: 'setup-db', workerId: 'w1', workerSlot: 1 });
  return server;
}

it('workers are listed with the ids that their tasks were given, and with the numbers of those that have none', async () => {
  const server = await atWork();
  const { workers } = await server.ok('get_workers');
  expect(workers[0]).toMatchObject({ workerId: 'w1', taskId: 'setup-db', task_number: 3 });
  await server.ok('claim_worker_slot', { worker_id: 'w2' });
  await server.ok('claim_task', { taskId: 1, workerId: 'w2', workerSlot: 2 });
  expect((await server.ok('get_workers')).workers[1]).toMatchObject({ taskId: '1', task_number: 1 });
});

it('errors call a task by the id that it was given', async () => {
  const server = await atWork();
  const other = await server.call('claim_task', { taskId: 'load', workerId: 'w1', workerSlot: 1 });
  expect(other.data).toMatchObject({ message: 'Slot 1 is at work on task setup-db.' });
  await server.ok('claim_worker_slot', { worker_id: 'w2' });
  const waiting = await server.call('claim_task', { taskId: 'load', workerId: 'w2', workerSlot: 2 });
  expect(waiting.data.message).toBe('Task load cannot be claimed. It waits for task setup-db (in_progress).');
  const held = await server.call('claim_task', { taskId: 'setup-db', workerId: 'w2', workerSlot: 2 });
  expect(held.data.message).toMatch(/^Task setup-db is held by /);
});

it('the history of a task is found by its id as given, and by its number as a number or a text', async () => {
  const server = await atWork();
  const byKey = await server.ok('get_events', { subject: 'task', subject_id: 'setup-db' });
  expect(byKey.events.map(({ type }: { type: string }) => type)).toContain('claimed');
  expect(await server.ok('get_events', { subject: 'task', subject_id: 3 })).toEqual(byKey);
  expect(await server.ok('get_events', { subject: 'task', subject_id: '3' })).toEqual(byKey);
});

it('a heartbeat says how many tasks and how many slots it has renewed', async () => {
  const server = await connectServer({ home: tempDir() });
  await server.ok('claim_worker_slot', { worker_id: 'w1' });
  expect(await server.ok('heartbeat')).toEqual({ renewed: 0, slots: 1 });
});

it('a claimed task comes with its expected output, its deadline, and the results of what it depends on', async () => {
  const server = await atWork();
  const done = { taskId: 'setup-db', status: 'done', workerId: 'w1', output: 'postgres://db' };
  await server.ok('update_task', done);
  const deadline = '2099-12-01T09:00:00.000Z';
  await server.ok('add_task', {
    id: 'report',
    description: 'Report on it.',
    dependencies: ['setup-db'],
    output: 'A page.',
    due: deadline,
  });
  const claim = { taskId: 'report', workerId: 'w1', workerSlot: 1 };
  const { content } = (await server.client.callTool({ name: 'claim_task', arguments: claim })) as {
    content: { text: string }[];
  };
  expect(content[0]?.text).toBe('Successfully claimed task report for worker w1');
  expect(content[1]?.text).toContain(`Expected output: A page.\nDeadline: ${deadline}\n`);
  expect(content[1]?.text).toContain('Result of setup-db (done): postgres://db');
  await server.ok('release_task', { task_id: 'report' });
  expect(await server.ok('claim_task', claim)).toMatchObject({
    expected_output: 'A page.',
    deadline,
    dependency_results: [{ id: 'setup-db', status: 'done', result: 'postgres://db' }],
    earlier_attempts: [{ outcome: 'released' }],
  });
});

it('lists show deadlines, and which have passed', async () => {
  const server = await atWork();
  await server.ok('add_task', { id: 'late', description: 'Late.', deadline: '2020-01-01T00:00:00Z' });
  await server.ok('add_task', { id: 'soon', description: 'Soon.', deadline: '2099-01-01T00:00:00Z' });
  for (const tool of ['get_available_tasks', 'get_all_tasks']) {
    const { tasks } = await server.ok(tool, { limit: 50 });
    const of = (id: string) => tasks.find((task: { id: string }) => task.id === id);
    expect(of('late')).toMatchObject({ deadline: '2020-01-01T00:00:00.000Z', overdue: true });
    expect(of('soon')).toMatchObject({ deadline: '2099-01-01T00:00:00.000Z' });
    expect(of('soon')).not.toHaveProperty('overdue');
  }
});
