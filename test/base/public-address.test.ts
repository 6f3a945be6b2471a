import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { addressRule, isPublicAddress } from '../../src/base/public-address.js';

it.each([
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fe80::1',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '64:ff9b::a00:1',
  '2002:7f00:1::',
  '2001:db8::1',
  'fe80::1%eth0',
  '::127.0.0.1',
])('%s is no public address', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

it.each([
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
])('%s is a public address', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

it.each(['http://127.0.0.1', 'http://2130706433', 'http://0x7f.1', 'http://[::ffff:127.0.0.1]', 'http://[::1]:80'])(
  'the host of %s is refused as it stands, however it is spelt',
  (url) => {
    const rule = addressRule([]);
    expect(() => rule.requireHost(new URL(url))).toThrow('no public address');
  },
);

it('what is named may be private: an address, a network, a host', () => {
  const rule = addressRule(['127.0.0.1', '10.0.0.0/8', 'fd00::/8', 'relay.internal']);
  for (const url of ['http://127.0.0.1', 'http://10.9.9.9', 'http://[fd00::7]', 'http://[::ffff:10.1.1.1]'])
    expect(() => rule.requireHost(new URL(url))).not.toThrow();
  expect(() => rule.requireHost(new URL('http://127.0.0.2'))).toThrow('127.0.0.2');
  expect(rule.isNamed(new URL('http://relay.internal/x'))).toBe(true);
  expect(rule.isNamed(new URL('http://example.com/x'))).toBe(false);
});

it('a name that leads to a private address at the moment of the connection is refused there', async () => {
  let calls = 0;
  const server = createServer((_, response) => {
    calls++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { request } = await import('node:http');
  const ask = (allowed: string[]) =>
    new Promise<string>((resolve) => {
      const url = new URL(`http://localhost:${port}/`);
      request(url, { agent: false, lookup: addressRule(allowed).lookup(url) }, (answer) => {
        answer.resume();
        resolve(String(answer.statusCode));
      })
        .on('error', (error) => resolve(error.message))
        .end();
    });
  expect(await ask([])).toMatch(/^localhost is at (127\.0\.0\.1|::1), no public address, so nothing is sent to it\.$/);
  expect(calls).toBe(0);
  expect(await ask(['127.0.0.1'])).toBe('200');
  expect(await ask(['localhost'])).toBe('200');
});
