import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { isNetworkTimeout, systemCode, wasNeverSent } from '../../src/base/network-error.js';

it('finds the code of the system under what fetch wraps round it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const error = await fetch(`http://127.0.0.1:${address.port}/`).catch((reason: unknown) => reason);
  expect(systemCode(error)).toBe('ECONNREFUSED');
  expect(wasNeverSent(error)).toBe(true);
  expect(isNetworkTimeout(error)).toBe(false);
});

it('takes the first of several attempts at an address with several hosts', () => {
  const attempts = new AggregateError([Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })], 'all failed');
  expect(systemCode(new TypeError('fetch failed', { cause: attempts }))).toBe('ECONNREFUSED');
});

it('knows nothing of other errors', () => {
  expect(systemCode(new Error('a bug'))).toBeUndefined();
  expect(systemCode('text')).toBeUndefined();
  expect(wasNeverSent(new Error('a bug'))).toBe(false);
});
