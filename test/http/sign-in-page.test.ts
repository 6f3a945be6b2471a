import { expect, it } from 'vitest';
import { serve } from './serve.js';

const nobody = { holder: null, project: '' };
const page = { answer: () => new Response('the page', { headers: { 'Content-Type': 'text/html' } }) };
const asPerson = { accept: 'text/html,*/*', authorization: '' };

async function serveWithToken() {
  const served = await serve({ page });
  const { token } = await served.runtime.access.create({ name: 'Grace', isReadOnly: true }, nobody);
  const post = (fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const body = new URLSearchParams(fields).toString();
    return served.send('POST', '/sign-in', {
      body,
      headers: {
        ...asPerson,
        origin: served.server.url,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(Buffer.byteLength(body)),
        ...headers,
      },
    });
  };
  return { ...served, token, post };
}

it('a person without a session gets a page to sign in, a program JSON', async () => {
  const { send, runtime } = await serveWithToken();
  const reply = await send('GET', '/jobs?text="><script>', { headers: asPerson });
  expect(reply).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
  expect(reply.headers['content-type']).toContain('text/html');
  expect(reply.text).toContain('value="/jobs?text=%22%3E%3Cscript%3E"');
  expect(reply.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
  for (const path of ['/api/tools', '/api/page/settings', '/mcp', '/metrics', '/ws']) {
    expect((await send('GET', path, { headers: asPerson })).data?.error, path).toBeDefined();
  }
  expect((await send('GET', '/jobs', { headers: { authorization: '' } })).data.error.code).toBe('invalid');
  expect(await runtime.access.listBrowsers()).toEqual([]);
});

it('signing in opens what was asked for on this server alone, with the rights of the token', async () => {
  const { post, send, token, server } = await serveWithToken();
  for (const to of [
    '/jobs?status=failed',
    '//evil.example/x',
    '/\\evil.example/x',
    '/\t/evil.example/x',
    'https://evil.example',
  ]) {
    const reply = await post({ secret: ` ${token} `, to });
    expect(reply.status).toBe(303);
    expect(new URL(reply.headers.location ?? '', server.url).origin).toBe(server.url);
    const [cookie = ''] = reply.headers['set-cookie'] ?? [];
    expect(cookie).toContain('HttpOnly; SameSite=Strict');
    const headers = { authorization: '', cookie: cookie.split(';')[0] ?? '' };
    expect((await send('GET', '/api/whoami', { headers })).data).toMatchObject({ name: 'Grace', read_only: true });
    expect((await send('POST', '/api/sign-out', { headers })).data).toEqual({ signed_out: true });
    expect((await send('GET', '/api/whoami', { headers })).status).toBe(401);
  }
});

it('neither another site, nor a wrong secret, nor a form without end signs anybody in', async () => {
  const { post, send, token, server, runtime } = await serveWithToken();
  expect((await post({ secret: token }, { origin: 'http://evil.example' })).status).toBe(403);
  expect((await post({ secret: token }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  for (const secret of ['', 'art_x_y', `${token}x`, 'http://127.0.0.1/?code=arc_x_y']) {
    expect((await post({ secret })).status).toBe(401);
  }
  expect((await post({ secret: token, to: `/${'x'.repeat(20_000)}` })).status).toBe(401);
  const chunked = { ...asPerson, origin: server.url, 'transfer-encoding': 'chunked' };
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await send('POST', '/sign-in', { body: `secret=${token}`, headers: { ...chunked, ...type } })).status).toBe(
    401,
  );
  expect(await runtime.access.listBrowsers()).toEqual([]);
});
