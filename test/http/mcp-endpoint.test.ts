import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../src/base/log.js';
import { ownerPass, type Pass } from '../../src/core/access/pass.js';
import { McpEndpoint } from '../../src/http/mcp-endpoint.js';
import { eventually } from '../support/eventually.js';
import { movingClock } from '../support/moving-clock.js';
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
  await expect(ok('create_task', { title: 'x' })).rejects.toThrow('made without --read-only');
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

it("a session is not to be had with another token of the same rights, nor with the owner's", async () => {
  const served = await serve();
  const one = await served.runtime.access.create({ name: 'one', isReadOnly: false }, actor);
  const two = await served.runtime.access.create({ name: 'two', isReadOnly: false }, actor);
  const { transport } = await connect(served, one.token);
  const post = (token: string) =>
    sendRequest(
      served.server.port,
      'POST',
      '/mcp',
      { ...jsonHeaders(token), 'mcp-session-id': transport.sessionId ?? '' },
      JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'ping' }),
    );
  expect((await post(two.token)).status).toBe(404);
  expect((await post(served.ownerToken)).status).toBe(404);
  expect((await post(one.token)).status).toBe(200);
});

it('a session ends with its token: its stream, its calls and what it holds', async () => {
  const served = await serve();
  const { token } = await served.runtime.access.create({ name: 'laptop', isReadOnly: false }, actor);
  const { client, ok } = await connect(served, token);
  await ok('claim_worker_slot');
  const { job } = await served.runtime.jobs.submit(
    { type: 'generic', payload: {}, runAt: Date.now() + 3_600_000 },
    actor,
  );
  const waiting = client
    .callTool({ name: 'wait_for_tasks', arguments: { task_ids: [job.id], timeout_seconds: 50 } })
    .then(
      () => 'answered',
      () => 'ended',
    );
  const startedAt = performance.now();
  await served.runtime.access.revoke('laptop', actor);
  await eventually('its session has ended', async () => (await liveSessions(served)).length === 0);
  expect(await served.runtime.db.all('select slot from worker_slots')).toEqual([]);
  // The call alone would have gone on for 50 s.
  expect(performance.now() - startedAt).toBeLessThan(40_000);
  await client.close();
  expect(await waiting).toBe('ended');
});

it('a session that may only read writes no row, and renews nothing of a conversation that it names', async () => {
  const clock = movingClock();
  const served = await serve({}, { clock });
  const { runtime } = served;
  const conversation = { 'agent-runtime-conversation': 'abc' };
  const holder = { holder: 'claude:abc', project: '' };
  await runtime.tasks.create([{ title: 'held' }], holder);
  await runtime.tasks.claimNext({ project: '' }, {}, holder);
  // Due so late that no runner waits for it, and none comes and goes meanwhile.
  const { job } = await runtime.jobs.submit({ type: 'generic', payload: {}, runAt: clock.now() + 7_200_000 }, actor);
  await runtime.jobs.cancel(job.id, actor);
  const { token } = await runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
  // Its first use is noted with the token.
  await served.send('GET', '/api/tools', { headers: { authorization: `Bearer ${token}` } });
  const before = await everyRow(served);
  clock.pass(8_000);

  const { client, ok, transport } = await connect(served, token, conversation);
  expect(await ok('runtime_status')).toBeDefined();
  await ok('get_job_status', { job_id: job.id });
  await ok('get_task_result', { task_id: job.id });
  await client.readResource({ uri: `job://${job.id}` });
  await runtime.maintenance.heartbeat();
  await transport.terminateSession();
  expect(await everyRow(served)).toEqual(before);
});

describe('the places for sessions', () => {
  const pass = (tokenId: string): Pass => ({ tokenId, name: tokenId, isReadOnly: false });

  function endpoint({ runtime }: ServedRuntime) {
    const visits = { add: () => () => {}, close() {} };
    const mcp = new McpEndpoint({ runtime, config: runtime.config, log: silentLog, visits });
    onTestFinished(() => mcp.close());
    async function post(who: Pass, message: object, sessionId?: string) {
      const headers = { ...jsonHeaders('x'), ...(sessionId ? { 'mcp-session-id': sessionId } : {}) };
      const body = JSON.stringify({ jsonrpc: '2.0', ...message });
      const response = await mcp.handle(new Request('http://127.0.0.1/mcp', { method: 'POST', headers, body }), who);
      await response.text();
      return response;
    }
    const greet = (who: Pass) => post(who, { id: 1, method: 'initialize', params: initialization });
    async function begin(who: Pass): Promise<string | undefined> {
      const response = await greet(who);
      const id = response.headers.get('mcp-session-id') ?? undefined;
      if (response.status !== 200 || id === undefined) return undefined;
      await post(who, { method: 'notifications/initialized' }, id);
      return id;
    }
    const isThere = async (who: Pass, id: string | undefined) =>
      (await post(who, { id: 2, method: 'ping' }, id)).status === 200;
    return { mcp, greet, begin, isThere };
  }

  it('are limited for each token, so that one cannot take those of another', async () => {
    const served = await serve();
    const { begin, greet, isThere } = endpoint(served);
    const { id } = await served.runtime.access.create({ name: 'greedy', isReadOnly: true }, actor);
    const greedy = { ...pass(id), isReadOnly: true };
    const began = await Promise.all(Array.from({ length: 120 }, () => begin(greedy)));
    expect(began.filter((session) => session !== undefined)).toHaveLength(100);
    expect((await greet(greedy)).status).toBe(503);
    const other = await begin({ ...pass('another'), isReadOnly: true });
    expect(await isThere({ ...pass('another'), isReadOnly: true }, other)).toBe(true);
  });

  it('are given to the owner when all are taken, from those who have been silent longest', async () => {
    const clock = movingClock();
    const served = await serve({}, { clock });
    const { begin, isThere } = endpoint(served);
    const tokens = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...pass(name), isReadOnly: true }));
    const taken: [Pass, string | undefined][] = [];
    for (const token of tokens) {
      for (let count = 0; count < 100; count++) {
        taken.push([token, await begin(token)]);
        clock.pass(1);
      }
    }
    expect(await begin({ ...pass('f'), isReadOnly: true })).toBeUndefined();
    const owners = await begin(ownerPass);
    expect(await isThere(ownerPass, owners)).toBe(true);
    const [[first, firstId], [second, secondId]] = taken as [[Pass, string], [Pass, string]];
    expect(await isThere(first, firstId)).toBe(false);
    expect(await isThere(second, secondId)).toBe(true);
  });

  it('of clients that never begin make way for the next, and are free again after 15 s', async () => {
    const clock = movingClock();
    const served = await serve({}, { clock });
    const { mcp, begin, greet, isThere } = endpoint(served);
    const laptop = { ...pass('laptop'), isReadOnly: true };
    const session = await begin(laptop);
    for (let count = 0; count < 150; count++) expect((await greet(laptop)).status).toBe(200);
    expect(await isThere(laptop, session)).toBe(true);

    const waiting = (await greet(laptop)).headers.get('mcp-session-id') ?? '';
    clock.pass(15_001);
    await mcp.endIdle();
    expect(await isThere(laptop, waiting)).toBe(false);
    expect(await isThere(laptop, session)).toBe(true);
    clock.pass(120_001);
    await mcp.endIdle();
    expect(await isThere(laptop, session)).toBe(false);
  });
});

const initialization = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'http-client', version: '1.0.0' },
};

const jsonHeaders = (token: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
});

/** The rows of every table. */
async function everyRow({ runtime }: ServedRuntime): Promise<Record<string, unknown[]>> {
  const tables = await runtime.db.all<{ name: string }>(
    "select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name <> 'metric_counters'",
  );
  const rows = tables.map(async ({ name }) => [name, await runtime.db.all(`select * from ${name}`)] as const);
  return Object.fromEntries(await Promise.all(rows));
}
