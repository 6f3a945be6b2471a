import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localTokenPath } from '../../src/base/private-files.js';
import { movingClock } from '../support/moving-clock.js';
import { tempDir } from '../support/temp-dir.js';
import { type ServedRuntime, serve } from './serve.js';

const actor = { holder: null, project: '' };
const create = '/api/tools/create_task';
const task = JSON.stringify({ title: 'a task' });

async function taskCount(runtime: { db: { get(text: string): Promise<unknown> } }): Promise<number> {
  return ((await runtime.db.get('select count(*) as count from tasks')) as { count: number }).count;
}

const page = { answer: () => undefined };

/** What a browser asks for when it opens an address. */
function pathOf(address: string): string {
  const { pathname, search } = new URL(address);
  return `${pathname}${search}`;
}

/** Opens an address as a browser does; resolves to the headers that it sends from then on. */
async function signIn({ send, server }: ServedRuntime, address?: string) {
  const path = pathOf(address ?? (await server.ownerUrl()));
  const { headers } = await send('GET', path, { headers: { authorization: '' } });
  return { authorization: '', cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
}

describe('a request', () => {
  it('without a token is asked who it is, and changes nothing', async () => {
    const { send, runtime } = await serve();
    for (const headers of [{ authorization: '' }, { authorization: 'Bearer wrong' }, { authorization: 'Basic eDp5' }]) {
      const reply = await send('POST', create, { headers, body: task });
      expect(reply).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      expect(reply.data.error.hint).toContain('token create');
    }
    expect(await taskCount(runtime)).toBe(0);
  });

  it('addressed to another name is refused, even with the token (DNS rebinding)', async () => {
    const { send, runtime, server } = await serve();
    for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1.evil.example', '', 'a b', '[::2]']) {
      const reply = await send('POST', create, { headers: { host: host || ' ' }, body: task });
      expect([400, 403], host).toContain(reply.status);
    }
    for (const host of ['localhost', `LOCALHOST:${server.port}`, '[::1]:80', '127.0.0.1']) {
      expect((await send('POST', create, { headers: { host }, body: task })).status, host).toBe(200);
    }
    expect(await taskCount(runtime)).toBe(4);
  });

  it('answers to names that it was told of', async () => {
    const { send } = await serve({ allowedHosts: ['tasks.example'] });
    expect((await send('GET', '/api/tools', { headers: { host: 'tasks.example' } })).status).toBe(200);
  });

  it('made by the page of another site is refused, with the token and without', async () => {
    const { send, runtime, server } = await serve();
    const own = `http://127.0.0.1:${server.port}`;
    const wrong: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${server.port + 1}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: own },
    ];
    for (const headers of wrong) {
      expect((await send('POST', create, { headers, body: task })).status, JSON.stringify(headers)).toBe(403);
      expect((await send('GET', '/api/events', { headers })).status, JSON.stringify(headers)).toBe(403);
    }
    expect(await taskCount(runtime)).toBe(0);
    const right = { origin: own, 'sec-fetch-site': 'same-origin' };
    expect((await send('POST', create, { headers: right, body: task })).status).toBe(200);
  });

  it('with a body of more than 4 MB is refused', async () => {
    const { send, runtime } = await serve();
    const body = JSON.stringify({ title: 'big', description: 'x'.repeat(5_000_000) });
    const reply = await send('POST', create, { body }).catch((error: NodeJS.ErrnoException) => error.code);
    // The server may hang up before all of it is sent.
    expect(['ECONNRESET', 'EPIPE', 413]).toContain(typeof reply === 'object' ? reply.status : reply);
    const inChunks = { headers: { 'transfer-encoding': 'chunked' }, body };
    const second = await send('POST', create, inChunks).catch((error: NodeJS.ErrnoException) => error.code);
    expect(['ECONNRESET', 'EPIPE', 413]).toContain(typeof second === 'object' ? second.status : second);
    expect((await send('POST', create, { ...inChunks, body: task })).status).toBe(200);
    expect(await taskCount(runtime)).toBe(1);
  });

  it('is answered with headers that let a page run and load nothing but its own', async () => {
    const { send } = await serve();
    const replies = await Promise.all([
      send('GET', '/api/health', { headers: { authorization: '' } }),
      send('GET', '/api/tools'),
      send('GET', '/nowhere'),
      send('GET', '/api/tools', { headers: { authorization: '' } }),
    ]);
    expect(replies.map((reply) => reply.status)).toEqual([200, 200, 404, 401]);
    for (const { headers } of replies) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'self';.*frame-ancestors 'none'$/);
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

describe('the owner', () => {
  it('has a token of 256 bits in a file that nobody else can read', async () => {
    const { runtime } = await serve();
    const path = localTokenPath(runtime.config.dataDir);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')).toHaveLength(32);
  });

  it('keeps it over restarts', async () => {
    const home = tempDir();
    const first = await serve({}, { home });
    const second = await serve({}, { home });
    expect(second.ownerToken).toBe(first.ownerToken);
  });

  it('enters by an address that opens once, within ten minutes', async () => {
    const clock = movingClock();
    const { send, server } = await serve({}, { clock });
    const open = (address: string) => send('GET', pathOf(address), { headers: { authorization: '' } });
    const address = await server.ownerUrl();
    expect((await open(address)).status).toBe(303);
    expect((await open(address)).status).toBe(401);
    const old = await server.ownerUrl();
    clock.pass(600_000);
    expect((await open(old)).status).toBe(401);
    const code = new URL(await server.ownerUrl()).searchParams.get('code');
    expect((await send('GET', '/api/tools', { headers: { authorization: `Bearer ${code}` } })).status).toBe(401);
  });

  it('is refused with a token in the address, good or not, and told the way in', async () => {
    const { send, ownerToken, runtime } = await serve();
    const { token } = await runtime.access.create({ name: 'ci', isReadOnly: false }, actor);
    for (const given of [ownerToken, token, 'wrong']) {
      for (const path of ['/', '/tasks', '/api/events']) {
        const reply = await send('GET', `${path}?token=${given}`, { headers: { authorization: '' } });
        expect(reply.status).toBe(401);
        expect(reply.headers['set-cookie']).toBeUndefined();
        expect(reply.data.error).toMatchObject({
          message: expect.stringContaining('does not belong in an address'),
          hint: expect.stringContaining('agent-runtime dashboard'),
        });
      }
    }
  });
});

/** It may have underscores of its own. */
const randomPartOf = (secret: string): string => secret.slice(-43);

describe("a browser's session", () => {
  it('is begun by a code, and its cookie holds a secret of its own under a name of its own port', async () => {
    const served = await serve();
    const { send, server, ownerToken, runtime } = served;
    const code = new URL(await server.ownerUrl()).searchParams.get('code') ?? '';
    const entered = await send('GET', `/tasks?code=${code}&state=ready`, { headers: { authorization: '' } });
    expect(entered).toMatchObject({ status: 303, headers: { location: '/tasks?state=ready' } });
    const [cookie = ''] = entered.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(new RegExp(`^agent_runtime_${server.port}=arb_[0-9a-f]{12}_[\\w-]{43};`));
    expect(cookie).toMatch(/Max-Age=2592000;.*HttpOnly; SameSite=Strict/);
    expect(cookie).not.toContain(ownerToken);
    const stored = JSON.stringify(await runtime.db.all('select * from browser_sessions'));
    const [pair = ''] = cookie.split(';');
    expect(stored).not.toContain(randomPartOf(pair));
    const headers = { authorization: '', cookie: pair };
    expect((await send('POST', create, { headers, body: task })).status).toBe(200);
    const bearer = { authorization: `Bearer ${pair.split('=')[1]}` };
    expect((await send('GET', '/api/tools', { headers: bearer })).status).toBe(401);
  });

  it('is not begun by a cookie that holds a token, which is removed', async () => {
    const { send, server, ownerToken } = await serve();
    for (const name of ['agent_runtime', `agent_runtime_${server.port}`]) {
      const headers = { authorization: '', cookie: `${name}=${ownerToken}` };
      const reply = await send('GET', '/api/tools', { headers });
      expect(reply.status).toBe(401);
      expect(reply.headers['set-cookie']?.[0]).toMatch(new RegExp(`^${name}=; Max-Age=0`));
    }
  });

  it('ends 12 hours after its last use, and 30 days after it has begun', async () => {
    const clock = movingClock();
    const served = await serve({}, { clock });
    const idle = await signIn(served);
    clock.pass(12 * 3_600_000 - 1);
    expect((await served.send('GET', '/api/whoami', { headers: idle })).status).toBe(200);
    clock.pass(12 * 3_600_000);
    expect((await served.send('GET', '/api/whoami', { headers: idle })).status).toBe(401);

    const busy = await signIn(served);
    for (let hours = 0; hours < 30 * 24 - 10; hours += 10) {
      clock.pass(10 * 3_600_000);
      expect((await served.send('GET', '/api/whoami', { headers: busy })).status, `${hours}`).toBe(200);
    }
    clock.pass(10 * 3_600_000);
    expect((await served.send('GET', '/api/whoami', { headers: busy })).status).toBe(401);
    expect(await served.runtime.access.listBrowsers()).toEqual([]);
  });

  it('is listed, and ends when it is revoked', async () => {
    const served = await serve();
    const headers = await signIn(served);
    const [browser] = await served.runtime.access.listBrowsers();
    expect(browser).toMatchObject({ name: 'owner', isReadOnly: false });
    await served.runtime.access.revoke(browser?.id ?? '', actor);
    expect((await served.send('GET', '/api/whoami', { headers })).status).toBe(401);
  });

  it("ends with its owner's token", async () => {
    const home = tempDir();
    const first = await serve({}, { home });
    const headers = await signIn(first);
    rmSync(localTokenPath(first.runtime.config.dataDir));
    const second = await serve({}, { home });
    expect(second.ownerToken).not.toBe(first.ownerToken);
    const [name, value] = headers.cookie.split('=');
    const moved = {
      ...headers,
      cookie: `${name?.replace(String(first.server.port), String(second.server.port))}=${value}`,
    };
    expect((await second.send('GET', '/api/whoami', { headers: moved })).status).toBe(401);
    expect((await first.send('GET', '/api/whoami', { headers })).status).toBe(200);
  });

  it('leads nowhere but to paths of the server itself', async () => {
    const { send, server } = await serve();
    const paths = [
      '//evil.example/',
      '///evil.example/',
      '/.//evil.example/',
      '/%2e//evil.example/',
      '//\\evil.example/',
    ];
    for (const path of paths) {
      const { searchParams } = new URL(await server.ownerUrl());
      const reply = await send('GET', `${path}?${searchParams}`, { headers: { authorization: '' } });
      expect([303, 400], path).toContain(reply.status);
      if (reply.status === 400) continue;
      const target = new URL(reply.headers.location ?? '', server.url);
      expect(target.origin, path).toBe(server.url);
    }
  });
});

describe('a code that a caller asks for', () => {
  const ask = async ({ send }: ServedRuntime, token: string) => {
    const reply = await send('POST', '/api/tools/dashboard_url', { headers: { authorization: `Bearer ${token}` } });
    return reply.data;
  };

  it("stands for the caller's own token: it reads as that, and ends with it", async () => {
    const served = await serve({ page });
    const { send, runtime } = served;
    const { token } = await runtime.access.create({ name: 'laptop', isReadOnly: false }, actor);
    const headers = await signIn(served, (await ask(served, token)).url);
    expect((await send('GET', '/api/whoami', { headers })).data).toMatchObject({ name: 'laptop', read_only: false });
    expect((await send('POST', create, { headers, body: task })).status).toBe(200);
    const unused = (await ask(served, token)).url;

    await runtime.access.revoke('laptop', actor);
    expect((await send('POST', create, { headers, body: task })).status).toBe(401);
    expect((await send('GET', pathOf(unused), { headers: { authorization: '' } })).status).toBe(401);
    expect(await taskCount(runtime)).toBe(1);
  });

  it('with a token that may only read lets a browser read and no more, also to ask for another code', async () => {
    const served = await serve({ page });
    const { token } = await served.runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
    const first = await ask(served, token);
    expect(first.read_only).toBe(true);
    let headers = await signIn(served, first.url);
    for (let time = 0; time < 2; time++) {
      expect((await served.send('POST', create, { headers, body: task })).status).toBe(403);
      const { data } = await served.send('POST', '/api/tools/dashboard_url', { headers });
      headers = await signIn(served, data.url);
    }
    expect((await served.send('GET', '/api/whoami', { headers })).data).toMatchObject({
      name: 'screen',
      read_only: true,
    });
  });

  it('on a server that may only read lets in to read alone, on every server', async () => {
    const home = tempDir();
    const reading = await serve({ page, isReadOnly: true }, { home });
    const { url } = await ask(reading, reading.ownerToken);
    const writing = await serve({ page }, { home });
    const headers = await signIn(writing, url);
    expect((await writing.send('POST', create, { headers, body: task })).status).toBe(403);
  });

  it('without a token, on a server that asks for none, is refused', async () => {
    const served = await serve({ page, needsToken: false });
    const reply = await served.send('POST', '/api/tools/dashboard_url', { headers: { authorization: '' } });
    expect(reply).toMatchObject({ status: 400, data: { error: { hint: expect.stringContaining('address') } } });
  });
});

describe('a token for programs', () => {
  it('lets in until it is revoked, and is stored as a hash', async () => {
    const { send, runtime } = await serve();
    const { id, token } = await runtime.access.create({ name: 'ci', isReadOnly: false }, actor);
    const headers = { authorization: `Bearer ${token}` };
    expect((await send('POST', create, { headers, body: task })).status).toBe(200);
    expect(JSON.stringify(await runtime.db.all('select * from access_tokens'))).not.toContain(randomPartOf(token));
    expect(await runtime.access.list()).toMatchObject([{ id, name: 'ci', lastUsedAt: expect.any(Number) }]);
    await runtime.access.revoke('ci', actor);
    expect((await send('POST', create, { headers, body: task })).status).toBe(401);
    await expect(runtime.access.revoke('ci', actor)).rejects.toThrow('There is no token "ci"');
  });

  it('that may only read cannot change anything, by any door', async () => {
    const { send, runtime } = await serve();
    const { token } = await runtime.access.create({ name: 'screen', isReadOnly: true }, actor);
    const headers = { authorization: `Bearer ${token}` };
    const refused = await send('POST', create, { headers, body: task });
    expect(refused).toMatchObject({ status: 403, data: { error: { message: expect.stringContaining('only read') } } });
    expect((await send('GET', '/api/tools/list_tasks', { headers })).status).toBe(200);
    const { data } = await send('GET', '/api/tools', { headers });
    expect(data.tools.every((tool: { effect: string }) => tool.effect === 'read')).toBe(true);
    expect(await taskCount(runtime)).toBe(0);
  });

  it('with a name that is in use is refused', async () => {
    const { runtime } = await serve();
    await runtime.access.create({ name: 'ci', isReadOnly: false }, actor);
    await expect(runtime.access.create({ name: 'ci', isReadOnly: true }, actor)).rejects.toThrow('named "ci" already');
  });
});

describe('a server', () => {
  it('that may only read offers no writes, to its owner neither', async () => {
    const { send, runtime } = await serve({ isReadOnly: true });
    expect((await send('POST', create, { body: task })).status).toBe(404);
    expect(await taskCount(runtime)).toBe(0);
  });

  it('lets everyone in without a token only on loopback', async () => {
    const { send } = await serve({ needsToken: false });
    expect((await send('POST', create, { headers: { authorization: '' }, body: task })).status).toBe(200);
    await expect(serve({ needsToken: false, host: '0.0.0.0' })).rejects.toThrow('anyone who reaches 0.0.0.0');
  });

  it('leaves its token where it was when two start at once', async () => {
    const home = tempDir();
    const served = await Promise.all([serve({}, { home }), serve({}, { home }), serve({}, { home })]);
    const tokens = new Set(served.map(({ ownerToken }) => ownerToken));
    expect(tokens.size).toBe(1);
    expect(readFileSync(localTokenPath(join(home, 'data')), 'utf8').trim()).toBe([...tokens][0]);
  });
});
