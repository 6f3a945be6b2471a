import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { type ServedRuntime, sendRequest, serve } from './serve.js';

const actor = { holder: null, project: '' };

/** The SDK's own client, as Claude Code connects with `--transport http`. */
async function connect({ server }: ServedRuntime, token: string, headers: Record<string, string> = {}) {
  const transport = new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${token}`, ...headers } },
  });
  const client = new Client({ name: 'http-client', version: '1.0.0' });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  onTestFinished(() => client.close());
  const ok = async (name: string, args: Record<string, unknown> = {}) => {
    const reply = await client.callTool({ name, arguments: args });
    if (reply.isError) throw new Error(JSON.stringify(reply.content));
    // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it.
    return reply.structuredContent as any;
  };
  return { client, transport, ok };
}

const liveSessions = ({ runtime }: ServedRuntime) =>
  runtime.db.all<{ client_name: string; holder: string; project: string }>(
    'select client_name, holder, project from sessions where ended_at is null order by started_at',
  );

it('serves the same tools as stdio, one session to a client', async () => {
  const served = await serve();
  const one = await connect(served, served.ownerToken);
  const two = await connect(served, served.ownerToken);
  const { tools } = await one.client.listTools();
  expect(tools.length).toBeGreaterThan(40);
  await one.ok('create_task', { title: 'only once' });
  await one.ok('claim_next_task');
  await expect(two.ok('update_task_status', { task_id: 1, status: 'in_progress' })).rejects.toThrow('already_claimed');
  expect(await liveSessions(served)).toHaveLength(2);
});

it('keeps what a client holds while it is there, and frees its slots when it says goodbye', async () => {
  const served = await serve();
  const { ok, transport } = await connect(served, served.ownerToken);
  await ok('claim_worker_slot');
  expect(await served.runtime.db.all('select slot from worker_slots')).toHaveLength(1);
  await transport.terminateSession();
  await eventually('its session has ended', async () => (await liveSessions(served)).length === 0);
  expect(await served.runtime.db.all('select slot from worker_slots')).toHaveLength(0);
});

it('takes the conversation and the project from who forwards them', async () => {
  const served = await serve();
  const headers = { 'agent-runtime-conversation': 'abc', 'agent-runtime-project': encodeURIComponent('/home/ä b') };
  const { ok } = await connect(served, served.ownerToken, headers);
  await ok('runtime_status');
  expect(await liveSessions(served)).toEqual([
    { client_name: 'http-client', holder: 'claude:abc', project: '/home/ä b' },
  ]);
});

it('offers a reader only what reads', async () => {
  const served = await serve();
  const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
  const { client, ok } = await connect(served, token);
  const { tools } = await client.listTools();
  expect(tools.every((tool) => tool.annotations?.readOnlyHint)).toBe(true);
  await expect(ok('create_task', { title: 'x' })).rejects.toThrow('no tool');
  expect(await served.runtime.db.all('select id from tasks')).toEqual([]);
});

it('a session begun by the owner is not to be had with the token of a reader', async () => {
  const served = await serve();
  const { transport } = await connect(served, served.ownerToken);
  const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
  const call = {
    jsonrpc: '2.0',
    id: 9,
    method: 'tools/call',
    params: { name: 'create_task', arguments: { title: 'x' } },
  };
  const headers = {
    authorization: `Bearer ${token}`,
    'mcp-session-id': transport.sessionId ?? '',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const reply = await sendRequest(served.server.port, 'POST', '/mcp', headers, JSON.stringify(call));
  expect(reply.status).toBe(404);
  expect(await served.runtime.db.all('select id from tasks')).toEqual([]);
});

it('a session that is not known is answered with 404, upon which clients begin anew', async () => {
  const served = await serve();
  const headers = {
    'mcp-session-id': 'of-a-server-that-has-restarted',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  expect((await served.send('POST', '/mcp', { headers, body })).status).toBe(404);
});

it('sends progress while a call waits', async () => {
  const served = await serve();
  const { client } = await connect(served, served.ownerToken);
  const job = await served.runtime.jobs.submit({ type: 'generic', payload: {}, runAt: Date.now() + 3_600_000 }, actor);
  const messages: unknown[] = [];
  await client.callTool(
    { name: 'wait_for_tasks', arguments: { task_ids: [job.job.id], timeout_seconds: 6 } },
    undefined,
    { onprogress: (progress) => messages.push(progress) },
  );
  expect(messages.length).toBeGreaterThan(0);
});
