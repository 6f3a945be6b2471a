import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioClientTransport2 } from '@modelcontextprotocol/client/stdio';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connectServer } from '../support/mcp-client.js';
import { mainEntry } from '../support/paths.js';
import { startRawServer } from '../support/raw-client.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

it('initialize is answered with name, version, instructions and the tools capability', async () => {
  const server = startRawServer({ home: tempDir() });
  const { result } = await server.initialize();
  expect(result.serverInfo.name).toBe('agent-runtime-mcp');
  expect(result.serverInfo.version).toMatch(/^\d+\.\d+\.\d+/);
  expect(result.protocolVersion).toBe('2025-11-25');
  expect(result.capabilities.tools).toBeDefined();
  expect(result.instructions).toContain('runtime_status');
});

it('server/discover is answered at once, before initialize, with "method not found"', async () => {
  const server = startRawServer({ home: tempDir() });
  const reply = await server.request('server/discover');
  expect(reply.error.code).toBe(-32601);
  const { result } = await server.initialize();
  expect(result.serverInfo.name).toBe('agent-runtime-mcp');
});

it('nothing is written before the client says that it has initialized', async () => {
  const home = tempDir();
  const server = startRawServer({ home });
  await server.request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'x', version: '1' },
  });
  await server.request('tools/list');
  expect(existsSync(join(home, '.claude'))).toBe(false);
  server.notify('notifications/initialized');
  await eventually('the database', () => existsSync(join(home, '.claude', 'agent_runtime.db')));
});

it('a client that starts a throw-away copy first leaves one session row', async () => {
  const home = tempDir();
  const client = new Client2({ name: 'second-generation', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const env = { HOME: home, PATH: '/usr/bin:/bin' };
  await client.connect(new StdioClientTransport2({ command: process.execPath, args: [mainEntry], env }));
  const reply = await client.callTool({ name: 'runtime_status', arguments: {} });
  expect(reply.isError).toBeFalsy();
  const runtime = await testRuntime({ home, env: { AGENT_RUNTIME_DATA_DIR: join(home, '.claude', 'agent_runtime') } });
  await eventually('one session', async () => (await runtime.db.all('select * from sessions')).length === 1);
  await client.close();
});

it('a malformed line, an unknown method and an unknown notification leave the server working', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  server.write('{"jsonrpc": "2.0", "id": 7, "method":');
  server.write('not json at all');
  server.write('[]');
  server.write('{"id":1}');
  server.notify('notifications/never-heard-of');
  expect((await server.request('no/such/method')).error.code).toBe(-32601);
  const reply = await server.request('tools/call', { name: 'runtime_status', arguments: {} });
  expect(reply.result.isError).toBeFalsy();
});

it('an unknown tool is an error that names near ones', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  const reply = await server.request('tools/call', { name: 'create_tasc', arguments: {} });
  expect(reply.result.isError).toBe(true);
  expect(JSON.parse(reply.result.content[0].text)).toMatchObject({
    error: { code: 'not_found', hint: expect.stringContaining('create_task') },
  });
});

it('every line on stdout is JSON-RPC, also while tools fail and the log is at its loudest', async () => {
  const server = startRawServer({ home: tempDir(), env: { AGENT_RUNTIME_LOG_LEVEL: 'debug' } });
  await server.initialize();
  await server.request('tools/list');
  await server.request('tools/call', { name: 'create_goal', arguments: { name: 'G', description: 'D' } });
  await server.request('tools/call', { name: 'get_task', arguments: { task_id: 99 } });
  await server.request('tools/call', { name: 'submit_background_task', arguments: { task_description: 'x' } });
  for (const line of server.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
  expect(server.lines.length).toBeGreaterThanOrEqual(5);
});

it('a long wait sends progress, and ends when the client cancels it', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  const job = await submitSleepingJob(server);
  server.write(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 500,
      method: 'tools/call',
      params: {
        name: 'wait_for_tasks',
        arguments: { task_ids: [job], timeout_seconds: 50 },
        _meta: { progressToken: 'p1' },
      },
    }),
  );
  const progress = await server.next((message) => message.method === 'notifications/progress');
  expect(progress.params).toMatchObject({ progressToken: 'p1', progress: 1, message: '0 of 1 done' });
  server.notify('notifications/cancelled', { requestId: 500 });
  const alive = await server.request('tools/call', { name: 'runtime_status', arguments: {} });
  expect(alive.result.isError).toBeFalsy();
  expect(server.lines.some((line) => JSON.parse(line).id === 500)).toBe(false);
});

it('a call with the id 0 is cancelled as any other', async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize();
  const job = await submitSleepingJob(server);
  const wait = (seconds: number) => ({
    name: 'wait_for_tasks',
    arguments: { task_ids: [job], timeout_seconds: seconds },
  });
  server.write(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'tools/call', params: wait(1) }));
  server.notify('notifications/cancelled', { requestId: 0 });
  expect((await server.request('tools/call', wait(2))).result.isError).toBeFalsy();
  expect(server.lines.some((line) => JSON.parse(line).id === 0)).toBe(false);
});

/** A job that waits an hour for its time, so that nothing has to run. */
async function submitSleepingJob(server: ReturnType<typeof startRawServer>): Promise<string> {
  const reply = await server.request('tools/call', {
    name: 'submit_job',
    arguments: { type: 'generic', payload: {}, run_at: new Date(Date.now() + 3_600_000).toISOString() },
  });
  return reply.result.structuredContent.job_id;
}

it("a goal is planned by the client's own model where the client lends it, and a plan that is no JSON is asked for again", async () => {
  const server = startRawServer({ home: tempDir() });
  await server.initialize({ sampling: {} });
  await server.request('tools/call', { name: 'create_goal', arguments: { name: 'Ship', description: 'It all' } });
  const plan = server.request('tools/call', { name: 'decompose_goal', arguments: { goal_id: 1 } });
  const first = await server.next((message) => message.method === 'sampling/createMessage');
  expect(first.params.messages[0].content.text).toContain('Name: Ship');
  answer(server, first.id, 'Sure! First you should think about it.');
  const second = await server.next((message) => message.method === 'sampling/createMessage' && message.id !== first.id);
  expect(second.params.messages[0].content.text).toContain('is not JSON');
  answer(server, second.id, '```json\n{"tasks":[{"title":"Think"},{"title":"Do","depends_on":["Think"]}]}\n```');
  const { result } = await plan;
  expect(result.structuredContent).toMatchObject({ planner: 'sampling', tasks_created: [1, 2], count: 2 });
});

function answer(server: ReturnType<typeof startRawServer>, id: number, text: string): void {
  const result = { role: 'assistant', content: { type: 'text', text }, model: 'client-model' };
  server.write(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

it('a read-only server lists no tool that changes anything, and refuses them by name', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_READ_ONLY: '1' } });
  const { tools } = await server.client.listTools();
  expect(tools.every((tool) => tool.annotations?.readOnlyHint)).toBe(true);
  const refused = await server.call('create_goal', { name: 'G', description: '' });
  expect(refused.data).toMatchObject({ code: 'not_found', message: expect.stringMatching(/read-only/) });
});

it('only the chosen toolsets are listed', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_TOOLSETS: 'system' } });
  const { tools } = await server.client.listTools();
  expect(tools.map((tool) => tool.name)).toContain('runtime_status');
  expect(tools.map((tool) => tool.name)).not.toContain('create_goal');
});

it('a mistake in the settings is told by every tool call, with the setting and its values', async () => {
  const server = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_WORKER_SLOTS: 'many' } });
  const reply = await server.call('runtime_status');
  expect(reply.data).toMatchObject({ code: 'invalid' });
  expect(reply.data.message).toContain('AGENT_RUNTIME_WORKER_SLOTS is "many"');
});
