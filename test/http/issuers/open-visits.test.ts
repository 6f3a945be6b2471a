import { request } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { sendRequest } from '../serve.js';
import { type ServedWithIssuer, serveWithIssuer } from './serve-with-issuer.js';

const http = { rightsCheckMs: 20, page: { answer: () => new Response('the page') } };

/** The stream of changes. */
function listen({ server }: ServedWithIssuer, token: string) {
  const state = { status: 0, hasEnded: false };
  const headers = { authorization: `Bearer ${token}` };
  const outgoing = request({ host: '127.0.0.1', port: server.port, path: '/api/events', headers }, (incoming) => {
    state.status = incoming.statusCode ?? 0;
    incoming.on('end', () => {
      state.hasEnded = true;
    });
    incoming.resume();
  });
  outgoing.on('error', () => {});
  outgoing.end();
  onTestFinished(() => void outgoing.destroy());
  return state;
}

it('a stream ends with its token, and with the key of it', async () => {
  const served = await serveWithIssuer({ http });
  const { issuer, clock } = served;
  const [brief, long] = [await issuer.sign({ exp: clock.now() / 1_000 + 60 }), await issuer.sign()];
  const [first, second] = [listen(served, brief), listen(served, long)];
  await eventually('both are open', () => first.status === 200 && second.status === 200);
  clock.pass(90_000);
  await eventually('the one has ended', () => first.hasEnded);
  expect(second.hasEnded).toBe(false);
  await issuer.rotate();
  clock.pass(5 * 60_000);
  await eventually('the other has ended', () => second.hasEnded);
});

it('a session of MCP goes on with a renewed token, ends with the newest, and is not to be had by others', async () => {
  const served = await serveWithIssuer({ http });
  const { issuer, clock, runtime, server } = served;
  let token = await issuer.sign({ exp: clock.now() / 1_000 + 60 });
  const transport = new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), {
    fetch: (address, init) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${token}`);
      return fetch(address, { ...init, headers });
    },
  });
  const client = new Client({ name: 'editor', version: '1.0.0' });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  onTestFinished(() => client.close());
  const liveSessions = () => runtime.db.all('select id from sessions where ended_at is null');
  await eventually('it has begun', async () => (await liveSessions()).length === 1);

  const ping = async (by: string) => {
    const headers = {
      authorization: `Bearer ${by}`,
      'mcp-session-id': transport.sessionId ?? '',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const call = JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'ping' });
    return (await sendRequest(server.port, 'POST', '/mcp', headers, call)).status;
  };
  expect(await ping(await issuer.sign({ sub: 'eve-2' }))).toBe(404);
  expect(await ping(await issuer.sign({ scope: 'read' }))).toBe(404);

  token = await issuer.sign({ exp: clock.now() / 1_000 + 100 });
  await client.callTool({ name: 'create_task', arguments: { title: 'Bake' } });
  clock.pass(95_000);
  expect(await ping(await issuer.sign())).toBe(200);
  clock.pass(3_500_000);
  expect(await liveSessions()).toHaveLength(1);
  clock.pass(200_000);
  await eventually('it has ended', async () => (await liveSessions()).length === 0);
});

it('callers of one issuer have places of their own, whichever of their tokens they send', async () => {
  const served = await serveWithIssuer({ http });
  const { issuer } = served;
  const tokens = await Promise.all([issuer.sign(), issuer.sign({ jti: '2' })]);
  const streams = Array.from({ length: 50 }, (_, index) => listen(served, tokens[index % 2] ?? ''));
  await eventually('all are open', () => streams.every(({ status }) => status === 200));
  const [full, other] = [listen(served, tokens[0]), listen(served, await issuer.sign({ sub: 'grace-3' }))];
  await eventually('both are answered', () => full.status > 0 && other.status > 0);
  expect([full.status, other.status]).toEqual([503, 200]);
});

it('a browser is let in by a pasted token, and stays until that ends or it signs out', async () => {
  const served = await serveWithIssuer({ http });
  const { issuer, clock, send, runtime } = served;
  const signIn = async (secret: string) => {
    const body = new URLSearchParams({ secret, to: '/jobs' }).toString();
    const headers = {
      authorization: '',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
    };
    const reply = await send('POST', '/sign-in', { body, headers });
    return { reply, as: { authorization: '', cookie: reply.headers['set-cookie']?.[0]?.split(';')[0] ?? '' } };
  };
  const token = await issuer.sign({ exp: clock.now() / 1_000 + 60, scope: 'read' });
  const { reply, as } = await signIn(token);
  expect(reply).toMatchObject({ status: 303, headers: { location: '/jobs' } });
  expect(reply.headers['set-cookie']?.[0]).not.toContain(token);
  const whoami = () => send('GET', '/api/whoami', { headers: as });
  expect((await whoami()).data).toMatchObject({ name: 'ada (acme)', read_only: true });
  const { data } = await send('POST', '/api/tools/dashboard_url', { headers: as });
  expect(data.error.hint).toMatch(/sign in there with an access token/);
  clock.pass(90_000);
  expect((await whoami()).status).toBe(401);

  const second = await signIn(await issuer.sign());
  expect((await send('POST', '/api/sign-out', { headers: second.as })).data).toEqual({ signed_out: true });
  expect((await send('GET', '/api/whoami', { headers: second.as })).status).toBe(401);
  expect(await runtime.access.listBrowsers()).toEqual([]);

  const refused = await signIn(await issuer.sign({ aud: 'mail' }));
  expect(refused.reply.status).toBe(401);
  expect(refused.reply.text).toContain('is for &quot;mail&quot; (aud), and not for this server. Ask the issuer');
});
