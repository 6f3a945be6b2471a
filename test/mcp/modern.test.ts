import { join } from 'node:path';
import { expect, it } from 'vitest';
import { longestMessageBytes } from '../../src/mcp/stdio-transport.js';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { connectModern, envelope as meta, modern } from '../support/modern-client.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

it('a client pinned to 2026-07-28 lists and calls tools, reads resources and gets prompts', async () => {
  const { client, ok } = await connectModern({ home: tempDir() });
  expect(client.getNegotiatedProtocolVersion()).toBe(modern);
  const { tools } = await client.listTools();
  expect(tools.length).toBeGreaterThan(60);
  await ok('create_goal', { name: 'Ship', description: 'x' });
  await ok('create_task', { title: 'one', goal_id: 1 });
  expect(await ok('claim_next_task')).toMatchObject({ claim_token: 1 });
  const { contents } = await client.readResource({ uri: 'goal://1' });
  expect(JSON.stringify(contents)).toContain('Ship');
  const { messages } = await client.getPrompt({ name: 'plan', arguments: { goal: 'Ship it' } });
  expect(JSON.stringify(messages)).toContain('Ship it');
});

it('the same tools are listed to both, word for word', async () => {
  const home = tempDir();
  const { client } = await connectModern({ home });
  const old = await connectServer({ home });
  expect((await client.listTools()).tools).toEqual((await old.client.listTools()).tools);
});

it('one process has one session, which begins when the client asks for more than what the server is', async () => {
  const home = tempDir();
  const server = startRawServer({ home });
  const discovered = await server.request('server/discover', { _meta: meta() });
  expect(discovered.result).toMatchObject({
    supportedVersions: [modern],
    instructions: expect.stringContaining('runtime_status'),
    _meta: {
      'io.modelcontextprotocol/serverInfo': {
        name: 'agent-runtime-mcp',
        description: expect.stringContaining('outlive a session'),
        icons: [{ mimeType: 'image/svg+xml' }],
      },
    },
  });
  const { db } = await testRuntime({ home, env: { AGENT_RUNTIME_DATA_DIR: join(home, '.claude', 'agent_runtime') } });
  expect(await db.all('select id from sessions')).toEqual([]);
  await server.request('tools/list', { _meta: meta() });
  const rows = () => db.all('select client_name, ended_at from sessions');
  await eventually('the session', async () => (await rows()).length > 0);
  const claimed = await server.request('tools/call', { name: 'claim_worker_slot', arguments: {}, _meta: meta() });
  expect(claimed.result.structuredContent).toMatchObject({ slot: 1 });
  expect(await rows()).toEqual([{ client_name: 'raw', ended_at: null }]);
  server.process.stdin?.end();
  expect((await server.ended).code).toBe(0);
  await eventually('its end', async () => (await db.all('select slot from worker_slots')).length === 0);
});

it('a client that has asked what the server is may still choose the older protocol', async () => {
  const server = startRawServer({ home: tempDir() });
  expect((await server.request('server/discover', { _meta: meta() })).result.supportedVersions).toEqual([modern]);
  expect((await server.initialize()).result.protocolVersion).toBe('2025-11-25');
  const reply = await server.request('tools/call', { name: 'runtime_status', arguments: {} });
  expect(reply.result.isError).toBeFalsy();
});

it('once one is chosen, the other is refused in words', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.request('tools/list', { _meta: meta() });
  const { error } = await server.initialize();
  expect(error.message).toMatch(/version/i);
  const bare = await server.request('tools/list', {});
  expect(bare.error.code).toBe(-32602);
  expect((await server.request('tools/list', { _meta: meta() })).result.tools.length).toBeGreaterThan(60);
});

it('a version that is not served is answered with those that are', async () => {
  const server = startRawServer({ home: tempDir() });
  const future = { ...meta(), 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
  const { error } = await server.request('tools/list', { _meta: future });
  expect(error.data.supported).toContain(modern);
});

it('limits, broken lines and errors in params are what they are in the older protocol', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.request('tools/list', { _meta: meta() });
  server.write('{"jsonrpc": "2.0", "id": 7, "method":');
  const long = { title: 'T', description: 'x'.repeat(longestMessageBytes) };
  server.write(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 900,
      method: 'tools/call',
      params: { name: 'create_task', arguments: long, _meta: meta() },
    }),
  );
  const { error } = await server.next(({ id }) => id === 900);
  expect(error.message).toContain(`at most ${longestMessageBytes} bytes`);
  const goal = await server.request('resources/read', { uri: 'goal://x', _meta: meta() });
  expect(goal.error).toMatchObject({ code: -32602, message: expect.stringContaining('goal_id') });
  const cursor = await server.request('tools/list', { cursor: 'nope', _meta: meta() });
  expect(cursor.error).toMatchObject({ code: -32602, message: expect.stringContaining('"nope" is not a cursor') });
  expect((await server.request('no/such/method', { _meta: meta() })).error.code).toBe(-32601);
});

it('what a client listens to it is told of, by whomever it was changed', async () => {
  const home = tempDir();
  const { client } = await connectModern({ home });
  const other = await connectServer({ home });
  await other.ok('create_goal', { name: 'Ship', description: 'x' });
  const updated: string[] = [];
  let lists = 0;
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updated.push(params.uri));
  client.setNotificationHandler('notifications/resources/list_changed', () => void lists++);
  const subscription = await client.listen({ resourcesListChanged: true, resourceSubscriptions: ['goal://1'] });
  await other.ok('create_task', { title: 'unrelated' });
  await other.ok('create_task', { title: 'of the goal', goal_id: 1 });
  await eventually('it is told of the goal', () => updated.length > 0);
  expect(new Set(updated)).toEqual(new Set(['goal://1']));
  await other.ok('create_goal', { name: 'Another', description: 'x' });
  await eventually('it is told of the list', () => lists > 0);
  await subscription.close();
});

it('a long wait sends progress, and ends when the client cancels it', async () => {
  const server = startRawServer({ home: tempDir() });
  const submitted = await server.request('tools/call', {
    name: 'submit_job',
    arguments: { type: 'generic', payload: {}, run_at: new Date(Date.now() + 3_600_000).toISOString() },
    _meta: meta(),
  });
  const job = submitted.result.structuredContent.job_id;
  const params = {
    name: 'wait_for_tasks',
    arguments: { task_ids: [job], timeout_seconds: 50 },
    _meta: { ...meta(), progressToken: 'p1' },
  };
  server.write(JSON.stringify({ jsonrpc: '2.0', id: 500, method: 'tools/call', params }));
  const progress = await server.next((message) => message.method === 'notifications/progress');
  expect(progress.params).toMatchObject({ progressToken: 'p1', progress: 1, message: '0 of 1 done' });
  server.notify('notifications/cancelled', { requestId: 500, _meta: meta() });
  const alive = await server.request('tools/call', { name: 'runtime_status', arguments: {}, _meta: meta() });
  expect(alive.result.isError).toBeFalsy();
  expect(server.lines.some((line) => JSON.parse(line).id === 500)).toBe(false);
});
