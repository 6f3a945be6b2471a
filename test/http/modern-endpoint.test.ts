import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, it, onTestFinished } from 'vitest';
import { collectMemory } from '../support/collect-memory.js';
import { eventually } from '../support/eventually.js';
import { type ServedRuntime, serve } from './serve.js';

const actor = { holder: null, project: '' };
const modern = '2026-07-28';

/** The SDK's own client of the second generation, which speaks nothing but 2026-07-28. */
async function connect({ server }: ServedRuntime, token: string, headers: Record<string, string> = {}) {
  const transport = new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${token}`, ...headers } },
  });
  const client = new Client(
    { name: 'modern-client', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: modern } } },
  );
  await client.connect(transport);
  onTestFinished(() => client.close());
  const ok = async (name: string, args: Record<string, unknown> = {}) => {
    const reply = await client.callTool({ name, arguments: args });
    if (reply.isError) throw new Error(JSON.stringify(reply.content));
    // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it.
    return reply.structuredContent as any;
  };
  return { client, ok };
}

const sessions = ({ runtime }: ServedRuntime) => runtime.db.all('select id from sessions');

it('serves 2026-07-28 without a session: each request stands for itself', async () => {
  const served = await serve();
  const { client, ok } = await connect(served, served.ownerToken, {
    'agent-runtime-project': encodeURIComponent('/home/ä b'),
  });
  expect(client.getNegotiatedProtocolVersion()).toBe(modern);
  expect((await client.listTools()).tools.length).toBeGreaterThan(60);
  expect(await ok('create_goal', { name: 'G', description: '' })).toMatchObject({ project: '/home/ä b' });
  await ok('create_task', { title: 'only once' });
  expect(await ok('claim_next_task')).toMatchObject({ claim_token: 1 });
  expect(await sessions(served)).toEqual([]);
});

it('offers a reader only what reads, and holds nothing for it', async () => {
  const served = await serve();
  const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
  const { client, ok } = await connect(served, token, { 'agent-runtime-conversation': 'abc' });
  const { tools } = await client.listTools();
  expect(tools.every((tool) => tool.annotations?.readOnlyHint)).toBe(true);
  await expect(ok('create_task', { title: 'x' })).rejects.toThrow('made without --read-only');
  expect(await served.runtime.db.all('select id from tasks')).toEqual([]);
});

it('claims for the conversation that it forwards', async () => {
  const served = await serve();
  const { ok } = await connect(served, served.ownerToken, { 'agent-runtime-conversation': 'abc' });
  await ok('create_task', { title: 'held' });
  await ok('claim_next_task');
  expect(await served.runtime.db.all('select claimed_by from tasks')).toEqual([{ claimed_by: 'claude:abc' }]);
});

it('tells whoever listens what has changed, until the token is revoked', async () => {
  const served = await serve();
  const { token } = await served.runtime.access.create({ name: 'laptop', isReadOnly: true }, actor);
  const { client } = await connect(served, token);
  const owner = await connect(served, served.ownerToken);
  await owner.ok('create_goal', { name: 'Ship', description: 'x' });
  const updated: string[] = [];
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updated.push(params.uri));
  const subscription = await client.listen({ resourceSubscriptions: ['goal://1'] });
  await owner.ok('create_task', { title: 'of the goal', goal_id: 1 });
  await eventually('it is told', () => updated.length > 0);
  expect(new Set(updated)).toEqual(new Set(['goal://1']));

  await collectMemory();
  await served.runtime.access.revoke('laptop', actor);
  await subscription.closed;
  const told = updated.length;
  await owner.ok('create_task', { title: 'another', goal_id: 1 });
  await expect(client.listTools()).rejects.toThrow();
  expect(updated).toHaveLength(told);
});

it('a call that waits ends with its token', async () => {
  const served = await serve();
  const { token } = await served.runtime.access.create({ name: 'laptop', isReadOnly: false }, actor);
  const { job } = await served.runtime.jobs.submit(
    { type: 'generic', payload: {}, runAt: Date.now() + 3_600_000 },
    actor,
  );
  const params = { name: 'wait_for_tasks', arguments: { task_ids: [job.id], timeout_seconds: 50 } };
  const startedAt = performance.now();
  const waiting = post(served, 'tools/call', params, { token, name: 'wait_for_tasks' });
  const isUsed = 'select 1 from access_tokens where last_used_at is not null';
  await eventually('it is let in', async () => (await served.runtime.db.get(isUsed)) !== undefined);
  await collectMemory();
  await served.runtime.access.revoke('laptop', actor);
  const reply = await waiting.catch(() => undefined);
  expect(reply?.data?.result).toBeUndefined();
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

interface PostOptions {
  token?: string;
  /** The header that names what a call is for. */
  name?: string;
  version?: string;
  claimed?: string;
}

/** A request as a client without a library sends it. */
function post(
  { ownerToken, send }: ServedRuntime,
  method: string,
  params: object,
  { token = ownerToken, name, version = modern, claimed = version }: PostOptions = {},
) {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': version,
    'mcp-method': method,
    'mcp-name': name ?? '',
  };
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': claimed,
    'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
  return send('POST', '/mcp', { headers, body });
}

it('a request whose header and body name different versions, or no version that is served, is refused', async () => {
  const served = await serve();
  expect((await post(served, 'tools/list', {})).status).toBe(200);
  for (const [version, claimed] of [
    ['', modern],
    [modern, '2099-01-01'],
    ['2099-01-01', '2099-01-01'],
  ] as const) {
    const reply = await post(served, 'tools/list', {}, { version, claimed });
    expect(reply.status).toBe(400);
    expect(reply.data.error.code).toBeLessThan(-32000);
  }
});

it('a method that is not served is not found', async () => {
  const reply = await post(await serve(), 'no/such/method', {});
  expect(reply).toMatchObject({ status: 404, data: { error: { code: -32601 } } });
});
