import { describe, expect, it } from 'vitest';
import { coordinatorRoutes } from '../../src/http/coordinator-routes.js';
import { type ServedRuntime, serve } from './serve.js';

const actor = { holder: null, project: '' };

/** Calls as the client of the task coordinator did: JSON in, `{success, ...}` out. */
function client({ send }: ServedRuntime) {
  return {
    async post(path: string, body?: unknown) {
      const reply = await send('POST', path, body === undefined ? {} : { body: JSON.stringify(body) });
      return reply.data;
    },
    get: async (path: string) => (await send('GET', path)).data,
  };
}

/** What the source sends for a new task: the whole of it. */
const newTask = (id: string, dependencies: string[] = []) => ({
  id,
  description: `Work on ${id}`,
  dependencies,
  output: null,
  status: 'available',
  worker: null,
  error: null,
});

describe('the addresses of the task coordinator', () => {
  it('carry its example workflow: slot, tasks, claim, report, release', async () => {
    const { post, get } = client(await serve());
    expect(await post('/api/add-task', newTask('TASK-001'))).toMatchObject({ success: true, id: 'TASK-001' });
    expect(await post('/api/add-task', { task: newTask('TASK-002', ['TASK-001']) })).toMatchObject({ success: true });
    expect(await post('/api/claim-worker-slot')).toMatchObject({ success: true, slot: 1 });
    expect(await get('/api/available-tasks')).toMatchObject({
      success: true,
      tasks: [{ id: 'TASK-001', description: 'Work on TASK-001', status: 'available', worker: null, dependencies: [] }],
    });
    const claim = { taskId: 'TASK-001', workerId: 'worker-1', workerSlot: 1 };
    expect(await post('/api/claim-task', claim)).toMatchObject({ success: true });
    expect(await get('/api/workers')).toMatchObject({
      success: true,
      workers: [{ slot: 1, workerId: 'worker-1', active: true, taskId: 'TASK-001' }, {}, {}, {}, {}],
    });
    const report = { taskId: 'TASK-001', status: 'done', workerId: 'worker-1', output: 'Completed successfully' };
    expect(await post('/api/update-task', report)).toMatchObject({ success: true });
    expect(await post('/api/release-worker-slot', { slot: 1 })).toMatchObject({ success: true });
    expect(await get('/api/all-tasks')).toMatchObject({
      success: true,
      tasks: [
        { id: 'TASK-001', status: 'done', output: 'Completed successfully', completedAt: expect.any(String) },
        { id: 'TASK-002', status: 'available', dependencies: ['TASK-001'] },
      ],
    });
  });

  it('reset a task that failed', async () => {
    const { post, get } = client(await serve());
    await post('/api/add-task', newTask('T1'));
    await post('/api/claim-worker-slot');
    await post('/api/claim-task', { taskId: 'T1', workerId: 'w', workerSlot: 1 });
    await post('/api/update-task', { taskId: 'T1', status: 'failed', workerId: 'w', error: 'broken' });
    expect((await get('/api/all-tasks')).tasks).toMatchObject([{ status: 'failed', error: 'broken' }]);
    expect(await post('/api/reset-failed-task', { taskId: 'T1' })).toMatchObject({ success: true });
    expect((await get('/api/available-tasks')).tasks).toMatchObject([{ id: 'T1' }]);
  });

  it('clean the board, after a backup', async () => {
    const { post, get } = client(await serve());
    await post('/api/add-task', newTask('T1'));
    expect(await post('/api/clean-all-tasks')).toMatchObject({ success: true, deleted: 1, backup: expect.any(String) });
    expect(await get('/api/all-tasks')).toMatchObject({ success: true, tasks: [] });
  });

  it('of its page list tasks without a frame, and add one', async () => {
    const { post, get } = client(await serve());
    const task = { id: 'T1', description: 'From the form', dependencies: [], output: '' };
    expect(await post('/api/tasks', task)).toMatchObject({ success: true, id: 'T1' });
    const tasks = await get('/api/tasks');
    expect(tasks).toMatchObject([{ id: 'T1', description: 'From the form' }]);
    expect(tasks[0]).not.toHaveProperty('expected_output');
  });

  it('say that the server is well, and for how long', async () => {
    const { get } = client(await serve());
    expect(await get('/api/health')).toMatchObject({ status: 'ok', uptime: expect.any(Number) });
  });

  it('list every task, of a board with more than one page of the tool', async () => {
    const served = await serve();
    const tasks = Array.from({ length: 300 }, (_, index) => ({ key: `t-${index}`, title: 'x'.repeat(90) }));
    await served.runtime.tasks.create(tasks, actor);
    const listed = await client(served).get('/api/all-tasks');
    expect(listed.tasks.map(({ id }: { id: string }) => id)).toEqual(tasks.map(({ key }) => key));
    expect(listed).not.toHaveProperty('next_cursor');
  });
});

describe('a call to such an address that cannot be carried out', () => {
  it.each([
    ['/api/claim-task', { taskId: 'none', workerId: 'w', workerSlot: 1 }, 404, 'not_found', 'slot 1'],
    ['/api/claim-task', { taskId: 'T1' }, 400, 'invalid', 'workerId'],
    ['/api/update-task', { taskId: 'T1', status: 'done', workerId: 'w' }, 409, 'stale_claim', 'does not hold'],
    ['/api/add-task', newTask('T1'), 409, 'conflict', 'T1'],
    ['/api/add-task', newTask('T2', ['unknown']), 404, 'not_found', 'unknown'],
    ['/api/reset-failed-task', { taskId: 'T1' }, 409, 'conflict', 'T1'],
    ['/api/release-worker-slot', { slot: 99 }, 404, 'not_found', '99'],
  ])('%s %j is answered in its form with %i, the code and the next step', async (path, body, status, code, part) => {
    const { send } = await serve();
    await send('POST', '/api/add-task', { body: JSON.stringify(newTask('T1')) });
    const reply = await send('POST', path, { body: JSON.stringify(body) });
    expect(reply).toMatchObject({
      status,
      data: { success: false, code, error: expect.stringContaining(part), hint: expect.any(String) },
    });
  });

  it('names the holders when every slot is taken', async () => {
    const { post } = client(await serve());
    for (let slot = 1; slot <= 5; slot++) expect(await post('/api/claim-worker-slot')).toMatchObject({ slot });
    const refused = await post('/api/claim-worker-slot');
    expect(refused).toMatchObject({ success: false, error: expect.stringMatching(/^No available worker slots/) });
  });

  it('is refused for what is no JSON', async () => {
    const { send } = await serve();
    const reply = await send('POST', '/api/add-task', { body: '{"id": ' });
    expect(reply).toMatchObject({ status: 400, data: { success: false, error: expect.stringContaining('not JSON') } });
  });

  it.each(coordinatorRoutes.map(({ method, path }) => [method, path] as const))(
    '%s %s needs a token, and one that may write where it writes',
    async (method, path) => {
      const served = await serve();
      const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
      const body = method === 'POST' ? { body: '{}' } : {};
      const unknown = await served.send(method, path, { headers: { authorization: '' }, ...body });
      expect(unknown.status).toBe(401);
      const reader = await served.send(method, path, { headers: { authorization: `Bearer ${token}` }, ...body });
      expect(reader.status).toBe(method === 'GET' ? 200 : 403);
      if (method === 'POST') expect(reader.data).toMatchObject({ success: false, code: 'invalid' });
    },
  );
});
