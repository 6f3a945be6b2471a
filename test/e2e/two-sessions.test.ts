import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { isAlive } from '../support/is-alive.js';
import { type ConnectedServer, connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';

/** The tasks of the task coordinator's own example: phase 2 waits for phase 1. */
async function setUp(server: ConnectedServer): Promise<void> {
  const tasks: [id: string, description: string, dependencies?: string[]][] = [
    ['setup-project', 'Initialize Next.js project'],
    ['setup-db', 'Set up Prisma with SQLite'],
    ['setup-env', 'Create environment configuration'],
    ['auth-api', 'Implement auth API routes', ['setup-project', 'setup-db']],
    ['auth-ui', 'Create login pages', ['setup-project']],
    ['auth-context', 'Build auth context', ['auth-api', 'auth-ui']],
  ];
  for (const [id, description, dependencies] of tasks) {
    const reply = await server.call('add_task', { id, description, ...(dependencies ? { dependencies } : {}) });
    expect(reply.text).toBe(`Added task ${id}`);
  }
}

async function availableTo(server: ConnectedServer): Promise<string[]> {
  const { tasks } = await server.ok('get_available_tasks');
  return tasks.map((task: { id: string }) => task.id);
}

interface Worker {
  server: ConnectedServer;
  id: string;
  slot: number;
  done: string[];
}

async function takeSeat(server: ConnectedServer, id: string): Promise<Worker> {
  const reply = await server.call('claim_worker_slot');
  expect(reply.text).toBe(`Successfully claimed worker slot ${reply.data.slot}`);
  return { server, id, slot: reply.data.slot, done: [] };
}

/** One task from claim to report; false if no task could be claimed. */
async function workOnce({ server, id, slot, done }: Worker): Promise<boolean> {
  for (const taskId of await availableTo(server)) {
    const claim = await server.call('claim_task', { taskId, workerId: id, workerSlot: slot });
    if (claim.isError) {
      expect(['already_claimed', 'conflict']).toContain(claim.data.code);
      continue;
    }
    expect(claim.text).toBe(`Successfully claimed task ${taskId} for worker ${id}`);
    const report = {
      taskId,
      status: 'done',
      workerId: id,
      output: `${taskId} by ${id}`,
      claim_token: claim.data.claim_token,
    };
    expect((await server.call('update_task', report)).text).toBe(`Successfully updated task ${taskId} to done`);
    done.push(taskId);
    return true;
  }
  return false;
}

it('two sessions work one board in parallel; one is killed with its claim, and the other finishes all of it', async () => {
  const home = tempDir();
  const [first, second] = await Promise.all([connectServer({ home }), connectServer({ home })]);
  await setUp(first);
  expect(await availableTo(second)).toEqual(['setup-project', 'setup-db', 'setup-env']);

  const one = await takeSeat(first, 'worker-1');
  const two = await takeSeat(second, 'worker-2');
  expect([one.slot, two.slot]).toEqual([1, 2]);
  await Promise.all([workOnce(one), workOnce(two)]);
  expect(new Set([...one.done, ...two.done]).size).toBe(2);

  // The second session neither sees nor gets the tasks of the first.
  const [taskId = ''] = await availableTo(first);
  await first.ok('claim_task', { taskId, workerId: 'worker-1', workerSlot: one.slot });
  expect(await availableTo(second)).not.toContain(taskId);
  const refused = await second.call('claim_task', { taskId, workerId: 'worker-2', workerSlot: two.slot });
  expect(refused.data).toMatchObject({ code: 'already_claimed' });
  expect(refused.data.message).toContain('worker-1');

  process.kill(first.pid, 'SIGKILL');
  await eventually('the first to be gone', () => !isAlive(first.pid));
  const third = await connectServer({ home });
  expect((await takeSeat(third, 'worker-3')).slot).toBe(1);
  expect((await second.call('reset_failed_task', { taskId })).text).toBe(`Reset task ${taskId} to available`);

  while (await workOnce(two));
  const { tasks } = await second.ok('get_all_tasks');
  expect(tasks.map((task: { status: string }) => task.status)).toEqual(Array(6).fill('done'));
  const order = [...one.done, ...two.done];
  expect(new Set(order).size).toBe(6);
  expect(order.indexOf('auth-context')).toBe(5);
  expect(order.indexOf('auth-api')).toBeGreaterThan(
    Math.max(order.indexOf('setup-project'), order.indexOf('setup-db')),
  );
  const events = await second.ok('get_events', {
    subject: 'task',
    subject_id: String(tasks.find((task: { id: string }) => task.id === taskId).number),
  });
  const lapsed = events.events.find((event: { type: string }) => event.type === 'lapsed');
  expect(lapsed.data.held_by).toContain('worker-1');
});

it('a task of decompose_goal is claimed by claim_task, and one of add_task shows in list_tasks', async () => {
  const server = await connectServer({ home: tempDir() });
  await server.ok('create_goal', { name: 'G', description: 'D' });
  const { tasks_created } = await server.ok('decompose_goal', { goal_id: 1, tasks: [{ title: 'From a plan' }] });
  const { slot } = await server.ok('claim_worker_slot', { worker_id: 'w' });
  const claim = await server.ok('claim_task', { taskId: String(tasks_created[0]), workerId: 'w', workerSlot: slot });
  expect(claim.description).toBe('From a plan');
  await server.ok('add_task', { id: 'auth-api', description: 'By name' });
  const { tasks } = await server.ok('list_tasks');
  expect(tasks).toMatchObject([
    { key: 'auth-api', title: 'By name' },
    { title: 'From a plan', status: 'in_progress' },
  ]);
});
