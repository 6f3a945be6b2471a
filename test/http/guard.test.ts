import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localTokenPath } from '../../src/base/private-files.js';
import { movingClock } from '../support/moving-clock.js';
import { tempDir } from '../support/temp-dir.js';
import { serve } from './serve.js';

const actor = { holder: null, project: '' };
const create = '/api/tools/create_task';
const task = JSON.stringify({ title: 'a task' });

async function taskCount(runtime: { db: { get(text: string): Promise<unknown> } }): Promise<number> {
  return ((await runtime.db.get('select count(*) as count from tasks')) as { count: number }).count;
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

  it('enters by the address once printed, which leaves a cookie and no token behind', async () => {
    const { send, ownerToken, server } = await serve();
    expect(server.ownerUrl).toBe(`${server.url}/?token=${ownerToken}`);
    const entered = await send('GET', `/tasks?token=${ownerToken}&state=ready`, { headers: { authorization: '' } });
    expect(entered).toMatchObject({ status: 303, headers: { location: '/tasks?state=ready' } });
    const [cookie = ''] = entered.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    const headers = { authorization: '', cookie: cookie.split(';')[0] ?? '' };
    expect((await send('POST', create, { headers, body: task })).status).toBe(200);
    expect((await send('GET', '/?token=wrong', { headers: { authorization: '' } })).status).toBe(401);
  });

  it('enters by a code once, and only within its life', async () => {
    const clock = movingClock();
    const { send, runtime } = await serve({}, { clock });
    const open = (code: string) => send('GET', `/?code=${code}`, { headers: { authorization: '' } });
    const code = await runtime.access.createCode(600_000);
    expect((await open(code)).status).toBe(303);
    expect((await open(code)).status).toBe(401);
    const old = await runtime.access.createCode(600_000);
    clock.pass(600_001);
    expect((await open(old)).status).toBe(401);
    expect((await send('GET', '/api/tools', { headers: { authorization: `Bearer ${code}` } })).status).toBe(401);
  });
});

describe('a token for programs', () => {
  it('lets in until it is revoked, and is stored as a hash', async () => {
    const { send, runtime } = await serve();
    const { id, token } = await runtime.access.create({ name: 'ci', isReadOnly: false }, actor);
    const headers = { authorization: `Bearer ${token}` };
    expect((await send('POST', create, { headers, body: task })).status).toBe(200);
    expect(JSON.stringify(await runtime.db.all('select * from access_tokens'))).not.toContain(token.split('_')[2]);
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
