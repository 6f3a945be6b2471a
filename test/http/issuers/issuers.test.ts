import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { listEvents } from '../../../src/core/events/events.js';
import { newSigningKey } from '../../fixtures/servers/oidc-issuer.js';
import { type ServedWithIssuer, serveWithIssuer } from './serve-with-issuer.js';

describe('an access token of the issuer', () => {
  it('lets in with its rights, under the name of its person', async () => {
    const { ask, issuer, runtime } = await serveWithIssuer();
    const token = await issuer.sign();
    expect((await ask(token)).data).toMatchObject({ name: 'ada (acme)', read_only: false });
    expect((await ask(token, '/api/tools/create_task', { title: 'Bake' })).status).toBe(200);
    const [event] = await listEvents(runtime.db, { subject: 'task', limit: 1 });
    expect(event?.actor).toBe('user:ada (acme)');
  });

  it('with the right to read alone changes nothing, and is told which right that needs', async () => {
    const { ask, issuer, runtime } = await serveWithIssuer();
    const token = await issuer.sign({ scope: 'openid read' });
    expect((await ask(token)).data).toMatchObject({ name: 'ada (acme)', read_only: true });
    const refused = await ask(token, '/api/tools/create_task', { title: 'Bake' });
    expect(refused).toMatchObject({ status: 403, data: { error: { hint: expect.stringContaining('write') } } });
    expect(refused.headers['www-authenticate']).toMatch(/error="insufficient_scope".*scope="read write"/);
    expect(await runtime.tasks.count({})).toBe(0);
  });

  it.each(['RS256', 'EdDSA'])('signed by %s is accepted', async (alg) => {
    const { ask, issuer } = await serveWithIssuer({ alg });
    expect((await ask(await issuer.sign())).status).toBe(200);
  });

  it('of an issuer with a path behind its host is accepted', async () => {
    const { ask, issuer } = await serveWithIssuer({ path: '/realms/acme' });
    expect(issuer.url).toMatch(/\/realms\/acme$/);
    expect((await ask(await issuer.sign())).status).toBe(200);
  });
});

/** The ways in which a token is not good, and what the refusal says. */
const refusals: [what: string, make: (served: ServedWithIssuer) => Promise<string>, says: RegExp, hint: RegExp][] = [
  [
    'of another issuer',
    ({ issuer }) => issuer.sign({ iss: 'https://evil.example' }),
    /of the issuer "https:\/\/evil\.example", which is not trusted/,
    /Get a token of http/,
  ],
  [
    'of an issuer that differs by a slash',
    ({ issuer }) => issuer.sign({ iss: `${issuer.url}/` }),
    /not trusted/,
    /differ by a slash/,
  ],
  [
    'for another audience',
    ({ issuer }) => issuer.sign({ aud: ['mail', 'files'] }),
    /is for \["mail","files"\] \(aud\)/,
    /audience runtime/,
  ],
  ['for nobody by name', ({ issuer }) => issuer.sign({ aud: undefined }), /is for nobody by name/, /audience runtime/],
  [
    'that has ended',
    ({ issuer, clock }) => issuer.sign({ exp: clock.now() / 1_000 - 31 }),
    /has ended at 2026-11-20T11:59:29/,
    /Log in again/,
  ],
  [
    'that is not valid yet',
    ({ issuer, clock }) => issuer.sign({ nbf: clock.now() / 1_000 + 31 }),
    /not valid yet before 2026-11-20T12:00:31/,
    /clocks/,
  ],
  ['without an end', ({ issuer }) => issuer.sign({ exp: undefined }), /no exp as it should/, /as the issuer gave it/],
  [
    'of nobody',
    ({ issuer }) => issuer.sign({ sub: undefined }),
    /does not say whose it is \(sub\)/,
    /as the issuer gave it/,
  ],
  [
    'of what is no text',
    ({ issuer }) => issuer.sign({ sub: { id: 1 } }),
    /does not say whose it is \(sub\)|"sub" claim/,
    /as the issuer gave it/,
  ],
  [
    'signed by a key that the issuer does not publish',
    async ({ issuer }) => issuer.sign({}, {}, await newSigningKey('ES256')),
    /signed with the key "key-\d+", which http\S+ does not publish/,
    /Log in again/,
  ],
  [
    'signed by another key under the name of a published one',
    async ({ issuer }) => issuer.sign({}, { kid: issuer.key().id }, await newSigningKey('ES256')),
    /The signature of this token is not one of http/,
    /Send it whole/,
  ],
  [
    'whose claims were changed',
    async ({ issuer }) => changed(await issuer.sign({ scope: 'read' })),
    /The signature of this token is not one of/,
    /Send it whole/,
  ],
  [
    'without a signature (none)',
    ({ issuer, clock }) => unsigned(issuer.url, clock.now()),
    /signed by "none", which is not accepted/,
    /RS256/,
  ],
  [
    'signed by the public key as a shared secret (HS256)',
    ({ issuer, clock }) => bySecret(issuer.url, clock.now()),
    /signed by "HS256", which is not accepted/,
    /ES256/,
  ],
  [
    'that is an ID token, by its nonce',
    ({ issuer }) => issuer.sign({ nonce: 'n' }, { typ: 'JWT' }),
    /This is an ID token/,
    /Send the access token/,
  ],
  [
    'that is an ID token, by its at_hash',
    ({ issuer }) => issuer.sign({ at_hash: 'h' }, { typ: undefined }),
    /This is an ID token/,
    /Send the access token/,
  ],
  [
    'that is an ID token, as Keycloak marks it',
    ({ issuer }) => issuer.sign({ typ: 'ID' }, { typ: 'JWT' }),
    /This is an ID token/,
    /Send the access token/,
  ],
  [
    'of another kind',
    ({ issuer }) => issuer.sign({}, { typ: 'logout+jwt' }),
    /of the type "logout\+jwt", which gives no access/,
    /Send the access token/,
  ],
  [
    'that is bound to a key',
    ({ issuer }) => issuer.sign({ cnf: { jkt: 'x' } }),
    /bound to a key of its holder/,
    /Send the access token/,
  ],
  ['that is encrypted', async () => 'a.b.c.d.e', /is encrypted \(JWE\)/, /signed JWT/],
  ['that is opaque', async () => 'ya29.opaque', /is neither one of this server nor a JWT/, /signed JWT/],
  ['that is damaged', async ({ issuer }) => `x${await issuer.sign()}`, /a JWT that cannot be read/, /Send it whole/],
];

it('a token that is not good is refused by name, with a next step, and changes nothing', async () => {
  const served = await serveWithIssuer();
  for (const [what, make, says, hint] of refusals) {
    const reply = await served.ask(await make(served), '/api/tools/create_task', { title: 'Bake' });
    expect([what, reply.status]).toEqual([what, 401]);
    expect(reply.data.error, what).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(says),
      hint: expect.stringMatching(hint),
    });
    expect(reply.headers['www-authenticate'], what).toMatch(/^Bearer error="invalid_token", error_description="/);
  }
  expect(await served.runtime.tasks.count({})).toBe(0);
});

it('a token within the leeway of the clocks is accepted', async () => {
  const { ask, issuer, clock } = await serveWithIssuer();
  const now = clock.now() / 1_000;
  expect((await ask(await issuer.sign({ exp: now - 29 }))).status).toBe(200);
  expect((await ask(await issuer.sign({ nbf: now + 29 }))).status).toBe(200);
});

it('a token without any of the rights is refused with 403 and the rights to ask for', async () => {
  const { ask, issuer } = await serveWithIssuer();
  const reply = await ask(await issuer.sign({ scope: 'openid profile' }));
  expect(reply).toMatchObject({
    status: 403,
    data: { error: { message: expect.stringMatching(/^The token of ada \(acme\) has neither "read" nor "write"/) } },
  });
  expect(reply.headers['www-authenticate']).toMatch(
    /error="insufficient_scope".*scope="read write", resource_metadata=/,
  );
});

function changed(token: string): string {
  const [header, claims = '', signature] = token.split('.');
  const more = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), scope: 'read write' };
  return [header, Buffer.from(JSON.stringify(more)).toString('base64url'), signature].join('.');
}

const claimsOf = (iss: string, now: number) => ({
  iss,
  sub: 'ada-1',
  aud: 'runtime',
  scope: 'write',
  exp: now / 1_000 + 60,
});

async function unsigned(iss: string, now: number): Promise<string> {
  const parts = [{ alg: 'none', typ: 'at+jwt' }, claimsOf(iss, now)];
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
}

async function bySecret(iss: string, now: number): Promise<string> {
  const { keys } = (await (await fetch(`${iss}/jwks`)).json()) as { keys: object[] };
  const secret = new TextEncoder().encode(JSON.stringify(keys[0]));
  return new SignJWT(claimsOf(iss, now)).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(secret);
}
