import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfigFile } from '../../src/base/config-file.js';
import { readIssuers } from '../../src/base/issuer-settings.js';
import { readConfig } from '../../src/config.js';
import { providers } from '../../src/llm/providers.js';
import { tempDir } from '../support/temp-dir.js';

const read = (issuers: unknown) =>
  parseConfigFile(JSON.stringify({ issuers }), '/c.json', providers).file.issuers ?? [];
const one = { issuer: 'https://login.example.com/realms/acme', audience: 'runtime' };

it('an issuer has the usual mapping, and what the config file says otherwise', () => {
  const other = {
    issuer: 'https://two.example/',
    audience: ['a', 'b'],
    name: 'two',
    read: 'viewer',
    write: ['editor', 'admin'],
  };
  expect(readIssuers({}, read([one, other]))).toMatchObject([
    {
      url: one.issuer,
      name: 'login.example.com',
      audiences: ['runtime'],
      rightsClaims: ['scope', 'scp', 'permissions', 'roles'],
      scopes: ['read', 'write'],
    },
    { url: 'https://two.example/', name: 'two', audiences: ['a', 'b'], scopes: ['viewer', 'editor', 'admin'] },
  ]);
});

it.each([
  [
    [{ ...one, issuer: 'http://login.example.com' }],
    /"http:\/\/login\.example\.com" is not an https address.*issuers\[0\]\.issuer/s,
  ],
  [[{ ...one, issuer: 'https://a:b@login.example.com' }], /is not an https address/],
  [[{ ...one, jwksUri: 'file:///etc/passwd' }], /is not an https address.*jwksUri/s],
  [[{ issuer: one.issuer }], /issuers\[0\]\.audience/],
  [[{ ...one, audiences: 'x' }], /Unrecognized key: "audiences"\. Did you mean audience\?/],
  [[one, { ...one, audience: 'other' }], /has the address or the name of another entry/],
])('%j is refused by its place', (issuers, message) => {
  expect(() => read(issuers)).toThrow(message);
});

it('http is for an issuer on this machine alone', () => {
  expect(read([{ ...one, issuer: 'http://127.0.0.1:8080/realms/acme' }])).toHaveLength(1);
  expect(read([{ ...one, issuer: 'http://localhost:8080' }])).toHaveLength(1);
  expect(() => read([{ ...one, issuer: 'http://127.0.0.1.evil.example' }])).toThrow(/is not an https address/);
});

it('the variables name one issuer, or another audience of one in the file', () => {
  const env = { AGENT_RUNTIME_ISSUER: one.issuer, AGENT_RUNTIME_AUDIENCE: 'x, y' };
  expect(readIssuers(env)).toMatchObject([{ url: one.issuer, audiences: ['x', 'y'], read: ['read'] }]);
  expect(readIssuers(env, read([{ ...one, read: 'viewer' }]))).toMatchObject([
    { audiences: ['x', 'y'], read: ['viewer'] },
  ]);
  const config = (variables: Record<string, string>) => readConfig({}, { HOME: '/nonexistent', ...variables });
  expect(config(env).issuers).toHaveLength(1);
  expect(() => config({ AGENT_RUNTIME_ISSUER: one.issuer })).toThrow(
    'AGENT_RUNTIME_ISSUER is set without AGENT_RUNTIME_AUDIENCE.',
  );
  expect(() => config({ AGENT_RUNTIME_AUDIENCE: 'x' })).toThrow(
    'AGENT_RUNTIME_AUDIENCE is set without AGENT_RUNTIME_ISSUER.',
  );
  expect(() => config({ ...env, AGENT_RUNTIME_ISSUER: 'login' })).toThrow('AGENT_RUNTIME_ISSUER is "login".');
});

it('the secret of a client is read from its variable, and shown nowhere', () => {
  const entry = { ...one, clientId: 'page', clientSecretVariable: 'ACME_LOGIN' };
  expect(readIssuers({ ACME_LOGIN: 'pass' }, read([entry]))).toMatchObject([
    { client: { id: 'page', secret: 'pass' } },
  ]);
  // Other processes read the same file, and have not all variables of the server.
  expect(readIssuers({}, read([entry]))[0]?.client).toMatchObject({ id: 'page', secret: undefined });
  expect(() => read([{ ...one, clientSecretVariable: 'ACME_LOGIN' }])).toThrow(/is there without clientId/);
  const home = tempDir();
  const file = join(home, 'config.json');
  writeFileSync(file, JSON.stringify({ issuers: [entry] }));
  const { secrets } = readConfig({ config: file }, { HOME: home, ACME_LOGIN: 'the secret' });
  expect(secrets).toContain('the secret');
});
