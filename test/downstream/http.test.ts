// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholders.
import { expect, it } from 'vitest';
import { startHttpServer, startSseServer } from '../fixtures/servers/http-server.js';
import { eventually } from '../support/eventually.js';
import { odd, textOf, toolRuntime } from './tool-runtime.js';

it('a server is reached over Streamable HTTP, with headers that are filled in', async () => {
  const server = await startHttpServer();
  const headers = { Authorization: 'Bearer ${GIVEN}' };
  const { call } = await toolRuntime(
    { web: { type: 'http', url: server.url, headers } },
    { env: { GIVEN: 'a-token' } },
  );
  expect(textOf(await call('web.look'))).toBe('look');
  expect(server.seen.every(({ authorization }) => authorization === 'Bearer a-token')).toBe(true);
});

it('a server that has forgotten the session is initialized anew, and the call made once, though it is not safe', async () => {
  const server = await startHttpServer();
  const { call } = await toolRuntime({ web: { url: server.url } });
  await call('web.add');
  server.forget();
  const outcome = await call('web.add');
  expect(textOf(outcome)).toBe('add');
  expect(outcome.attempts).toMatchObject([{ error: 'it had forgotten the session' }, { instance: 'web#1' }]);
  expect(server.calls).toEqual(['add', 'add']);
});

it('a server that is missing, refuses or breaks: a backup answers, also an unsafe call if it never arrived', async () => {
  const server = await startHttpServer();
  const { call } = await toolRuntime({
    web: { url: server.url, headers: { Authorization: 'Bearer a-token' }, backups: ['odd'] },
    odd: odd({ instances: 1 }),
  });
  await call('web.look');
  server.fail(401);
  expect(await call('web.add')).toMatchObject({
    source: 'backup',
    attempts: [{ error: 'it refused with HTTP 401' }, {}],
  });
  server.fail(502);
  await expect(call('web.add')).resolves.toMatchObject({ result: { isError: true }, instance: 'web#1' });
  server.fail(0);
  await server.close();
  // The first call after the outage is one that may be repeated; only the cache can answer it.
  expect(await call('web.look')).toMatchObject({ source: 'cache', isStale: true });
  expect(await call('web.add')).toMatchObject({ source: 'backup' });
  expect(server.calls).toEqual(['look']);
});

it('a connection that breaks while a call that is not safe is under way leaves it uncertain, and says so', async () => {
  const server = await startHttpServer();
  const { call } = await toolRuntime({ web: { url: server.url, backups: ['odd'] }, odd: odd() });
  await call('web.look');
  server.breakOff(true);
  await expect(call('web.add', {}, { timeoutMs: 8_000 })).rejects.toMatchObject({
    message: /may have been carried out/,
  });
  expect(server.calls).toEqual(['look', 'add']);
});

it('a kept-alive connection that its server has closed costs a reading call one more try, and is uncertain for others', async () => {
  const server = await startHttpServer();
  const { call } = await toolRuntime({ web: { url: server.url } });
  await call('web.look');
  server.drop(1);
  const outcome = await call('web.look');
  expect(outcome.attempts).toMatchObject([
    { error: expect.stringContaining('the connection was lost') },
    { source: 'primary' },
  ]);
  server.drop(1);
  await expect(call('web.add')).rejects.toMatchObject({ message: /may have been carried out/ });
  expect(server.calls).toEqual(['look', 'look']);
});

it('a server that asks to wait is not asked again at once, and the error says when it may be', async () => {
  const server = await startHttpServer();
  const { call } = await toolRuntime({ web: { url: server.url } });
  await call('web.add');
  server.fail(429, { 'retry-after': '30' });
  await expect(call('web.add')).rejects.toMatchObject({
    code: 'rate_limited',
    message: /too many requests \(HTTP 429\), and takes the next in 30 s/,
    retryAfterSeconds: 30,
  });
  expect(server.calls).toEqual(['add']);
});

it('a page where an answer should be leaves it open whether a writing call was carried out', async () => {
  const server = await startHttpServer();
  const { call } = await toolRuntime({ web: { url: server.url } });
  await call('web.look');
  server.fail(200, { 'content-type': 'text/html' }, '<html>Welcome to the proxy</html>');
  await expect(call('web.add')).rejects.toMatchObject({ message: /It may have been carried out/ });
});

it('a server of the older transport with server-sent events is called, with its headers, and again after its stream broke', async () => {
  const server = await startSseServer();
  const headers = { Authorization: 'Bearer a-token' };
  const { call } = await toolRuntime({ old: { type: 'sse', url: server.url, headers } });
  expect(textOf(await call('old.look'))).toBe('Bearer a-token');
  const lost = call('old.never');
  const ended = expect(lost).rejects.toMatchObject({ message: /may have been carried out/ });
  await eventually('the call is under way', () => server.waiting() === 1);
  server.cut();
  await ended;
  expect(textOf(await call('old.look'))).toBe('Bearer a-token');
});
