import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { serve } from './serve.js';

it('a reading tool is called by GET, its arguments typed as its declaration says', async () => {
  const { send } = await serve();
  for (const title of ['12', 'second']) {
    await send('POST', '/api/tools/create_task', { body: JSON.stringify({ title, priority: 7 }) });
  }
  const listed = await send('GET', '/api/tools/list_tasks?limit=1&status=pending');
  expect(listed.data).toMatchObject({ count: 1, tasks: [{ title: 'second' }], next_cursor: expect.anything() });
  const whole = await send('GET', `/api/tools/get_task?input=${encodeURIComponent('{"task_id": 1}')}`);
  expect(whole.data).toMatchObject({ id: 1, title: '12', priority: 7 });
});

it('a tool that changes things is not called by GET', async () => {
  const { send, runtime } = await serve();
  const reply = await send('GET', '/api/tools/create_task?title=x');
  expect(reply).toMatchObject({ status: 400, data: { error: { hint: 'Call it with POST.' } } });
  expect(await runtime.db.get('select id from tasks')).toBeUndefined();
});

it.each([
  ['/api/tools/no_such_tool', '{}', 404, 'There is no tool "no_such_tool".'],
  ['/api/tools/get_task', '{"task_id": 99}', 404, 'No task has id 99'],
  ['/api/tools/create_task', '{"titel": "x"}', 400, 'Unknown argument "titel"'],
  ['/api/tools/create_task', '{"title": ', 400, 'The body is not JSON'],
  ['/api/tools/create_task', '[1]', 400, 'create_task'],
  ['/api/tools/submit_background_task', '{"task_description": "x"}', 501, 'model'],
])('%s with %s is answered with %i and what is wrong', async (path, body, status, message) => {
  const { send } = await serve();
  const reply = await send('POST', path, { body });
  expect(reply.status).toBe(status);
  expect(reply.data.error).toMatchObject({ code: expect.any(String), message: expect.stringContaining(message) });
});

it('what another holds is answered with 409 and who holds it', async () => {
  const { send } = await serve();
  await send('POST', '/api/tools/create_task', { body: '{"title": "x"}' });
  const body = '{"task_id": 1, "status": "in_progress"}';
  expect((await send('POST', '/api/tools/update_task_status', { body })).status).toBe(200);
  const again = await send('POST', '/api/tools/update_task_status', { body });
  expect(again).toMatchObject({ status: 409, data: { error: { code: 'already_claimed' } } });
});

it('lists the tools with what they take', async () => {
  const { send } = await serve();
  const { data } = await send('GET', '/api/tools');
  const listed = data.tools.find((tool: { name: string }) => tool.name === 'create_task');
  expect(listed).toMatchObject({ effect: 'write', input: { type: 'object', required: ['title'] } });
});

it('the metrics are served to Prometheus, and count what was called here', async () => {
  const { send, runtime } = await serve();
  await send('GET', '/api/tools/list_tasks');
  await send('GET', '/api/tools/get_task?task_id=7');
  await runtime.metrics.flush();
  const { text, headers } = await send('GET', '/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toContain('agent_runtime_tool_calls_total{tool="list_tasks",status="ok"} 1');
  expect(text).toContain('agent_runtime_tool_calls_total{tool="get_task",status="not_found"} 1');
  expect((await send('GET', '/metrics', { headers: { authorization: '' } })).status).toBe(401);
});

it('a call under way ends with the token of its caller, and says so', async () => {
  const served = await serve();
  const actor = { holder: null, project: '' };
  const { token } = await served.runtime.access.create({ name: 'laptop', isReadOnly: false }, actor);
  const runAt = Date.now() + 3_600_000;
  const { job } = await served.runtime.jobs.submit({ type: 'generic', payload: {}, runAt }, actor);
  const waiting = served.send('POST', '/api/tools/wait_for_tasks', {
    body: JSON.stringify({ task_ids: [job.id], timeout_seconds: 50 }),
    headers: { authorization: `Bearer ${token}` },
  });
  const startedAt = performance.now();
  await eventually('the call has been let in', () =>
    served.runtime.db.get("select 1 from access_tokens where name = 'laptop' and last_used_at is not null"),
  );
  await served.runtime.access.revoke('laptop', actor);
  const { status, data } = await waiting;
  expect([status, data.error]).toMatchObject([401, { message: expect.stringContaining('revoked') }]);
  // The call alone would have gone on for 50 s.
  expect(performance.now() - startedAt).toBeLessThan(40_000);
});
