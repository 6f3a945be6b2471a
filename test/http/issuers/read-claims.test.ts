import { describe, expect, it } from 'vitest';
import { nameOf, rightsOf, whyNoAccessToken } from '../../../src/http/issuers/read-claims.js';
import { testRuntime } from '../../support/test-runtime.js';
import { issuerAt } from './serve-with-issuer.js';

const url = 'https://login.example.com';

describe('rights', () => {
  const usual = issuerAt(url);
  it.each([
    ['of a scope (Keycloak, Auth0)', { scope: 'openid read write' }, false],
    ['of scp as one text (Entra)', { scp: 'read' }, true],
    ['of scp as a list (Okta)', { scp: ['profile', 'write'] }, false],
    ['of permissions (Auth0)', { permissions: ['write'] }, false],
    ['of app roles (Entra)', { roles: ['read'] }, true],
    ['of none', { scope: 'openid', roles: ['writer'] }, undefined],
    ['of claims that are no texts', { scope: 7, scp: [7, {}], roles: null, permissions: { write: true } }, undefined],
  ] as const)('%s', (_, claims, isReadOnly) => {
    expect(rightsOf(claims, usual)?.isReadOnly).toBe(isReadOnly);
  });

  it('are read from inner claims, and from claims with dots in their names', () => {
    const roles = (rightsClaims: string[]) => issuerAt(url, { rightsClaims, read: ['viewer'], write: ['editor'] });
    const claims = {
      resource_access: { 'my.runtime': { roles: ['editor'] } },
      'https://acme.example/roles': ['viewer'],
    };
    expect(rightsOf(claims, roles(['resource_access.my.runtime.roles']))).toEqual({ isReadOnly: false });
    expect(rightsOf(claims, roles(['https://acme.example/roles']))).toEqual({ isReadOnly: true });
    expect(rightsOf(claims, roles(['resource_access.other.roles', 'constructor.name']))).toBeUndefined();
  });
});

describe('names', () => {
  const acme = issuerAt(url, { name: 'acme' });
  it.each([
    [{ preferred_username: 'ada', email: 'ada@acme.example', sub: '1' }, 'ada (acme)'],
    [{ email: 'ada@acme.example', sub: '1' }, 'ada@acme.example (acme)'],
    [{ preferred_username: ' \u0000\u202e(owner)\n', sub: '1' }, 'owner (acme)'],
    [{ preferred_username: '()', sub: 'x'.repeat(200) }, `${'x'.repeat(60)} (acme)`],
    [{ preferred_username: 7, sub: 'Zoë' }, 'Zoë (acme)'],
  ])('of %j are %s', (claims, name) => {
    expect(nameOf(claims, acme)).toBe(name);
  });

  it("no name of an issuer's person is one that a token can have", async () => {
    const { access } = await testRuntime();
    const name = nameOf({ preferred_username: 'ada', sub: '1' }, acme);
    const actor = { holder: null, project: '' };
    await expect(access.create({ name, isReadOnly: true }, actor)).rejects.toThrow('cannot be the name of a token');
  });
});

it('a token of Keycloak that says that it is for access may have a nonce', () => {
  expect(whyNoAccessToken({ alg: 'RS256', typ: 'JWT' }, { typ: 'Bearer', nonce: 'n' })).toBeUndefined();
  expect(whyNoAccessToken({ alg: 'RS256', typ: 'JWT' }, { typ: 'Refresh' })).toMatch(
    /"Refresh", which gives no access/,
  );
  expect(whyNoAccessToken({ alg: 'RS256' }, {})).toBeUndefined();
  expect(whyNoAccessToken({ alg: 'RS256', typ: 'application/at+jwt' }, { nonce: 'n' })).toBeUndefined();
});
