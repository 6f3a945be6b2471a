import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, it, onTestFinished } from 'vitest';
import { addressRule } from '../../src/base/public-address.js';
import { requireWebhookUrl, sendWebhook } from '../../src/webhooks/send.js';
import { newWebhookSecret, signatureHeaders } from '../../src/webhooks/sign.js';

const secret = newWebhookSecret();

async function answering(listener: RequestListener, { secrets = [secret], allowed = ['127.0.0.1'] } = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const message = { id: 'msg_1', timestamp: Math.floor(Date.now() / 1000), body: '{"type":"task.completed"}' };
  const rule = addressRule(allowed);
  return sendWebhook(message, { url, secrets, rule, signal: new AbortController().signal });
}

it('a signature is that of the reference library', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
  const known = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const headers = signatureHeaders(message, [known]);
  const date = new Date(message.timestamp * 1000);
  expect(headers['webhook-signature']).toBe(new Webhook(known).sign(message.id, date, message.body));
  // Of the example that the specification's libraries test themselves by.
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

it('a secret is of 256 bits, in the form of the specification', () => {
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
});

it.each([200, 201, 204, 299])('a message is taken when the answer is %i', async (status) => {
  expect(await answering((_, response) => response.writeHead(status).end())).toMatchObject({
    isTaken: true,
    error: null,
  });
});

it.each([301, 302, 307, 308])('a redirect with %i is not followed', async (status) => {
  let calls = 0;
  const answer = await answering((_, response) => {
    calls++;
    response.writeHead(status, { location: '/elsewhere' }).end();
  });
  expect(answer).toMatchObject({
    isTaken: false,
    status,
    error: `it answered ${status}, and redirects are not followed`,
  });
  expect(calls).toBe(1);
});

it('what the receiver asks for is heard: to be left alone, or to get no more', async () => {
  const busy = await answering((_, response) => response.writeHead(503, { 'retry-after': '7' }).end());
  expect(busy).toMatchObject({ isTaken: false, retryAfterMs: 7_000, error: 'it answered 503' });
  expect(await answering((_, response) => response.writeHead(410).end())).toMatchObject({ isGone: true });
});

it('an answer without end is broken off', async () => {
  let end: () => void = () => {};
  const hungUp = new Promise<void>((resolve) => {
    end = resolve;
  });
  const answer = await answering((_, response) => {
    response.on('close', end);
    const write = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    };
    response.on('drain', write);
    write();
  });
  expect(answer.isTaken).toBe(true);
  await hungUp;
});

it('a private address is refused, also when it was added before', async () => {
  let calls = 0;
  const answer = await answering(() => calls++, { allowed: [] });
  expect(answer).toMatchObject({ isTaken: false, error: '127.0.0.1 is no public address, so nothing is sent to it.' });
  expect(calls).toBe(0);
});

it.each([
  ['ftp://example.com/x', 'is not the address of a webhook'],
  ['example.com', 'is not the address of a webhook'],
  ['https://user:pass@example.com/x', 'a name and a password'],
  ['http://example.com/x', 'is not encrypted'],
  ['https://169.254.169.254/latest', 'no public address'],
])('%s is refused: it %s', (url, why) => {
  expect(() => requireWebhookUrl(url, addressRule([]))).toThrow(why);
});
