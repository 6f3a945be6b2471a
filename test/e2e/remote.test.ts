import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readLocalToken } from '../../src/base/private-files.js';
import { createRemoteConnection } from '../../src/mcp/remote/connection.js';
import { type HttpProcess, startHttpProcess } from '../http/http-process.js';
import { serve } from '../http/serve.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { type ConnectedServer, connectServer } from '../support/mcp-client.js';
import { connectModern } from '../support/modern-client.js';
import { connect } from '../support/sqlite.js';
import { tempDir } from '../support/temp-dir.js';

const tokenOf = (home: string) => readLocalToken(join(home, '.claude', 'agent_runtime')) ?? '';

/** A client's own stdio server that has its runtime at another address. */
function connectThin(url: string, token: string, env: Record<string, string> = {}): Promise<ConnectedServer> {
  return connectServer({ home: tempDir(), env: { AGENT_RUNTIME_URL: url, AGENT_RUNTIME_TOKEN: token, ...env } });
}

/** Kills a server as a crash does, and starts another on the same port. */
async function restart(server: HttpProcess, home: string): Promise<HttpProcess> {
  process.kill(server.pid, 'SIGKILL');
  await server.ended;
  return startHttpProcess(home, ['serve', '--http', '--port', new URL(server.url).port]);
}

describe('a server with AGENT_RUNTIME_URL', () => {
  it('forwards tools, results, errors and progress unchanged', async () => {
    const home = tempDir();
    const { url } = await startHttpProcess(home);
    const thin = await connectThin(url, tokenOf(home));
    const near = await connectServer({ home });
    expect(await thin.client.listTools()).toEqual(await near.client.listTools());
    expect(await thin.ok('create_task', { title: 'from afar' })).toMatchObject({ id: 1, title: 'from afar' });
    expect(await near.ok('get_task', { task_id: 1 })).toMatchObject({ title: 'from afar' });
    const wrong = { task_id: 7 };
    expect(await thin.call('get_task', wrong)).toEqual(await near.call('get_task', wrong));
    expect(await thin.call('no_such_tool')).toEqual(await near.call('no_such_tool'));

    const job = await near.ok('submit_job', { type: 'generic', payload: {}, run_at: '2099-01-01T00:00:00Z' });
    const messages: unknown[] = [];
    const waiting = { name: 'wait_for_tasks', arguments: { task_ids: [job.job_id], timeout_seconds: 6 } };
    await thin.client.callTool(waiting, undefined, { onprogress: (progress) => messages.push(progress) });
    expect(messages.length).toBeGreaterThan(0);
  });

  it('forwards for a client of 2026-07-28 too, for the project that it works in, and lists what suits it', async () => {
    const home = tempDir();
    const { url } = await startHttpProcess(home);
    const env = { AGENT_RUNTIME_URL: url, AGENT_RUNTIME_TOKEN: tokenOf(home) };
    const cwd = realpathSync(tempDir());
    const { client, ok } = await connectModern({ home: tempDir(), cwd, env, name: 'codex-mcp-client' });
    expect(await ok('create_goal', { name: 'G', description: '' })).toMatchObject({ id: 1, project: cwd });
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('create_goal');
    expect(names).not.toContain('circuit_breaker_trip');
  });

  it('finds the token of its own machine by itself, and takes the address of the task coordinator', async () => {
    const home = tempDir();
    const { url } = await startHttpProcess(home);
    const thin = await connectServer({ home, env: { TASK_COORDINATOR_URL: url } });
    expect(await thin.ok('runtime_status')).toMatchObject({
      database: { path: join(home, '.claude', 'agent_runtime.db') },
    });
  });

  it('finds the token of its own machine also when the first server there starts after it', async () => {
    const home = tempDir();
    const port = await freePort();
    const thin = await connectServer({ home, env: { AGENT_RUNTIME_URL: `http://127.0.0.1:${port}` } });
    expect((await thin.client.listTools()).tools.length).toBeGreaterThan(40);
    await startHttpProcess(home, ['serve', '--http', '--port', String(port)]);
    expect(await thin.ok('create_task', { title: 'early' })).toMatchObject({ id: 1 });
  });

  it('looks for the token of its own machine again when the one it has is refused', async () => {
    const { server, ownerToken } = await serve();
    const file = join(tempDir(), 'token');
    writeFileSync(file, 'of-an-earlier-server');
    let looks = 0;
    const token = () => {
      const found = readFileSync(file, 'utf8');
      if (++looks === 1) writeFileSync(file, ownerToken);
      return found;
    };
    const connection = createRemoteConnection({ url: server.url, token, headers: {} });
    onTestFinished(() => connection.close());
    const results = await Promise.all([1, 2, 3].map(() => connection.use((client) => client.listTools())));
    expect(results.map(({ tools }) => tools.length > 40)).toEqual([true, true, true]);
  });

  it('lists its tools and says at each call what to check while nothing is there, and works once something is', async () => {
    const home = tempDir();
    const first = await startHttpProcess(home);
    const token = tokenOf(home);
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    const thin = await connectThin(first.url, token);
    expect((await thin.client.listTools()).tools.length).toBeGreaterThan(40);
    const { data } = await thin.call('create_task', { title: 'x' });
    expect(data).toMatchObject({ code: 'unavailable', message: expect.stringContaining('Nothing was done') });
    expect(data.message).toContain(first.url);
    expect(data.hint).toContain('serve --http');
    await startHttpProcess(home, ['serve', '--http', '--port', new URL(first.url).port]);
    expect(await thin.ok('create_task', { title: 'x' })).toMatchObject({ id: 1 });
  });

  it('reports an invalid token', async () => {
    const home = tempDir();
    const { url } = await startHttpProcess(home);
    const thin = await connectThin(url, 'nonsense');
    expect((await thin.call('list_tasks')).data).toMatchObject({
      code: 'not_configured',
      hint: expect.stringContaining('AGENT_RUNTIME_TOKEN'),
    });
  });

  it('says that a write may have been carried out when the server is lost in its middle', async () => {
    const home = tempDir();
    const server = await startHttpProcess(home);
    const thin = await connectThin(server.url, tokenOf(home));
    await thin.ok('list_tasks');
    // The write lock keeps the call waiting until the server is gone.
    const db = connect(join(home, '.claude', 'agent_runtime.db'));
    onTestFinished(() => void db.close());
    db.exec('begin immediate');
    const call = thin.call('create_task', { title: 'x' });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    process.kill(server.pid, 'SIGKILL');
    db.exec('rollback');
    const { data } = await call;
    expect(data).toMatchObject({ code: 'unavailable', message: expect.stringContaining('may have been carried out') });
  });

  it('refuses an invalid address', async () => {
    const thin = await connectServer({ home: tempDir(), env: { AGENT_RUNTIME_URL: 'over there' } });
    expect((await thin.call('list_tasks')).data.message).toContain('AGENT_RUNTIME_URL is "over there"');
  });
});

/** A worker at work through a thin client, which is no session of Claude Code unless it says so. */
async function workerAt(url: string, token: string, env: Record<string, string> = {}) {
  const thin = await connectThin(url, token, env);
  await thin.ok('add_task', { id: 'T1', description: 'Work.' });
  const { slot } = await thin.ok('claim_worker_slot', { worker_id: 'w1' });
  await thin.ok('claim_task', { taskId: 'T1', workerId: 'w1', workerSlot: slot });
  return thin;
}

describe('what a thin client holds', () => {
  const report = { taskId: 'T1', status: 'done', workerId: 'w1' };
  const held = { slot: 1, workerId: 'w1', active: true, taskId: 'T1' };

  it.each(['SIGTERM', 'SIGKILL'] as const)('it still holds when its server has restarted after %s', async (signal) => {
    const home = tempDir();
    const server = await startHttpProcess(home);
    const thin = await workerAt(server.url, tokenOf(home));
    const near = await connectServer({ home });
    process.kill(server.pid, signal);
    await server.ended;
    // Others see that a process is gone, and free what ended with it.
    await near.ok('claim_worker_slot', { worker_id: 'w2' });
    expect((await near.ok('get_workers')).workers[0]).toMatchObject(held);
    await startHttpProcess(home, ['serve', '--http', '--port', new URL(server.url).port]);
    expect((await thin.ok('get_workers')).workers[0]).toMatchObject(held);
    await thin.ok('update_task', report);
    await thin.ok('release_worker_slot', { slot: 1 });
  });

  it('is renewed by the restarted server without a call of its own', async () => {
    const home = tempDir();
    const server = await startHttpProcess(home);
    await workerAt(server.url, tokenOf(home));
    const near = await connectServer({ home });
    const lease = async () => (await near.ok('get_task', { task_id: 'T1' })).lease_expires_at;
    const before = await lease();
    process.kill(server.pid, 'SIGTERM');
    await server.ended;
    await startHttpProcess(home, ['serve', '--http', '--port', new URL(server.url).port]);
    await eventually('its claim lasts longer than before', async () => (await lease()) > before);
  });

  it('it still holds when it has restarted itself and says that it is the same conversation', async () => {
    const home = tempDir();
    const { url } = await startHttpProcess(home);
    const who = { CLAUDE_CODE_SESSION_ID: 'conversation' };
    const first = await workerAt(url, tokenOf(home), who);
    await first.client.close();
    const again = await connectThin(url, tokenOf(home), who);
    expect(await again.ok('claim_worker_slot', { worker_id: 'w1' })).toMatchObject({ slot: 1 });
    await again.ok('update_task', report);
  });

  it('is not held by another, who is told of the claim token', async () => {
    const home = tempDir();
    const { url } = await startHttpProcess(home);
    await workerAt(url, tokenOf(home));
    const other = await connectThin(url, tokenOf(home));
    const { data } = await other.call('update_task', report);
    expect(data).toMatchObject({ code: 'stale_claim', hint: expect.stringContaining('claim_token') });
  });
});

it('two thin clients and one over HTTP coordinate through a server that is killed and restarted', async () => {
  const home = tempDir();
  let server = await startHttpProcess(home);
  const token = tokenOf(home);
  const thin = await Promise.all([
    connectThin(server.url, token, { CLAUDE_CODE_SESSION_ID: 'one' }),
    connectThin(server.url, token, { CLAUDE_CODE_SESSION_ID: 'two' }),
  ]);
  const callers = [
    ...thin.map((client) => (name: string, args: Record<string, unknown>) => client.call(name, args)),
    httpCaller(() => server.url, token),
  ];
  const count = 90;
  const tasks = Array.from({ length: count }, (_, index) => ({ title: `task ${index}`, key: `t-${index}` }));
  await thin[0].ok('create_tasks', { tasks });

  const completed: string[] = [];
  let isDone = false;
  const complete = async (call: Call, { id, key, claim_token }: { id: number; key: string; claim_token: number }) => {
    for (;;) {
      const ended = await call('update_task_status', { task_id: id, status: 'completed', result: 'done', claim_token });
      if (!ended.isError) completed.push(key);
      // Lost on the way: was it written?
      else if (ended.data.code === 'unavailable') {
        const now = await call('get_task', { task_id: id });
        if (now.isError || now.data.status !== 'completed') continue;
        completed.push(key);
      }
      return;
    }
  };
  const work = callers.map(async (call) => {
    while (!isDone) {
      const claimed = await call('claim_next_task', {});
      if (!claimed.isError && claimed.data.id !== undefined) {
        await complete(call, claimed.data);
        continue;
      }
      if (!claimed.isError && completed.length >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
      // A claim whose answer got lost is kept while its conversation lives, which finds it like this.
      const status = await call('runtime_status', {});
      for (const held of status.isError ? [] : status.data.yours.tasks) await complete(call, held);
    }
  });
  for (let round = 1; round <= 3; round++) {
    await eventually(`round ${round} is under way`, () => completed.length >= (round * count) / 5);
    server = await restart(server, home);
  }
  // A claim whose answer was lost expires with its session.
  await eventually(
    'all is done',
    async () => {
      const left = await thin[0].call('list_tasks', { status: 'completed', limit: 100, scope: 'all' });
      return !left.isError && left.data.count === count;
    },
    120_000,
  );
  isDone = true;
  await Promise.all(work);
  const db = connect(join(home, '.claude', 'agent_runtime.db'), { readonly: true });
  const ends = db.prepare("select subject_id from events where subject = 'task' and type = 'completed'").pluck().all();
  db.close();
  expect(ends).toHaveLength(count);
  expect(new Set(ends).size).toBe(count);
}, 180_000);

type Call = ReturnType<typeof httpCaller>;

/** A client over HTTP that begins a new session when the server has forgotten it, as Claude Code does. */
function httpCaller(url: () => string, token: string) {
  let connected: Promise<Client> | undefined;
  const connect = async () => {
    const client = new Client({ name: 'over-http', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(new URL(`${url()}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}`, 'agent-runtime-conversation': 'three' } },
    });
    await client.connect(transport as Parameters<Client['connect']>[0]);
    return client;
  };
  onTestFinished(async () => void (await connected?.catch(() => undefined))?.close());
  return async (name: string, args: Record<string, unknown>) => {
    try {
      connected ??= connect();
      const client = await connected;
      const reply = await client.callTool({ name, arguments: args }, undefined, { timeout: 3_000 });
      const [first] = reply.content as { text: string }[];
      const isError = reply.isError === true;
      // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it.
      return { isError, data: (isError ? JSON.parse(first?.text ?? '').error : reply.structuredContent) as any };
    } catch {
      const lost = connected;
      connected = undefined;
      void lost?.then((client) => client.close()).catch(() => {});
      return { isError: true, data: { code: 'unavailable' } };
    }
  };
}
