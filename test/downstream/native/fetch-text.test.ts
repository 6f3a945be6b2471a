import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { fetchText } from '../../../src/downstream/native/fetch-text.js';
import { type Reply, replyWith, type WebService, webService } from './web-service.js';

const limits = { signal: new AbortController().signal, timeoutMs: 30_000, maxBytes: 1_000 };
const key = 'secret-key-1234567890';

function ask(service: WebService, more: { path?: string; body?: string; timeoutMs?: number } = {}) {
  const { path = '/start?q=private', timeoutMs = limits.timeoutMs, ...rest } = more;
  const request = { service: 'Finder', setting: 'SEARXNG_URL', headers: { 'x-key': key }, ...rest } as const;
  return fetchText({ ...request, url: new URL(service.origin + path) }, { ...limits, timeoutMs });
}

const redirect = (location: string, status = 302): Reply => replyWith(status, '', { location });

it('gives back status, headers and text, whatever the status', async () => {
  const service = await webService(replyWith(418, 'Grüße', { 'x-more': 'yes' }));
  const { status, headers, text } = await ask(service);
  expect([status, headers.get('x-more'), text]).toEqual([418, 'yes', 'Grüße']);
});

it('follows a redirect on the same host, with the headers', async () => {
  const service = await webService(redirect('/moved?q=private'), replyWith(200, 'there'));
  expect((await ask(service)).text).toBe('there');
  expect(service.received.map(({ url, headers }) => [url.pathname, headers['x-key']])).toEqual([
    ['/start', key],
    ['/moved', key],
  ]);
});

it('sends key and query to no other host, port or name', async () => {
  const other = await webService(replyWith(200, 'stolen'));
  const targets = [other.origin, other.origin.replace('127.0.0.1', 'localhost'), 'http://[', 'file:///etc/passwd'];
  for (const target of targets) {
    const service = await webService(redirect(target));
    const failure = ask(service);
    await expect(failure).rejects.toMatchObject({ code: 'unavailable', hint: expect.stringContaining('SEARXNG_URL') });
    await expect(failure).rejects.not.toThrow(/private|secret/);
  }
  expect(other.received).toHaveLength(0);
});

it('a redirect that never ends, or of a POST, is an error', async () => {
  const circle = await webService(redirect('/start'));
  await expect(ask(circle)).rejects.toMatchObject({ code: 'unavailable' });
  expect(circle.received).toHaveLength(4);
  const post = await webService(redirect('/elsewhere', 307));
  await expect(ask(post, { body: '{}' })).rejects.toMatchObject({ code: 'unavailable' });
  expect(post.received).toHaveLength(1);
});

it('takes no more than its limit, also of what unpacks to more, and of a stream without an end', async () => {
  const exact = await webService(replyWith(200, 'x'.repeat(1_000)));
  expect((await ask(exact)).text).toHaveLength(1_000);
  const packed: Reply = (response) =>
    void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(10_000_000)));
  const endless: Reply = (response) => {
    const timer = setInterval(() => response.write('x'.repeat(400)), 5);
    response.on('close', () => clearInterval(timer));
  };
  for (const reply of [replyWith(200, 'x'.repeat(1_001)), packed, endless]) {
    const service = await webService(reply);
    await expect(ask(service)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('1,000'),
    });
  }
});

it('a server that hangs, before its answer or in it, is a timeout', async () => {
  const halfway: Reply = (response) => void response.writeHead(200).write('{"results":');
  for (const reply of [() => undefined, halfway]) {
    await expect(ask(await webService(reply), { timeoutMs: 500 })).rejects.toMatchObject({ code: 'timeout' });
  }
});
