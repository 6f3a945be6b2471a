import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { recordingLog } from '../../store/open-store.js';
import { collectMemory } from '../../support/collect-memory.js';
import { eventually } from '../../support/eventually.js';
import { serveWithIssuer } from './serve-with-issuer.js';

const minute = 60_000;
const keysAsked = (asked: readonly string[]) => asked.filter((address) => address.endsWith('/jwks')).length;

describe('a key that is changed while the server runs', () => {
  it('is found by the first token that is signed with it, and the former one is good for no longer than 5 minutes', async () => {
    const { ask, issuer, clock } = await serveWithIssuer();
    const old = await issuer.sign({ exp: clock.now() / 1_000 + 3_600 });
    expect((await ask(old)).status).toBe(200);
    await issuer.rotate();
    clock.pass(10_000);
    expect((await ask(await issuer.sign())).status).toBe(200);
    // The keys were read anew for that, and it is not among them.
    const reply = await ask(old);
    expect(reply).toMatchObject({
      status: 401,
      data: {
        error: {
          message: expect.stringMatching(/signed with the key "key-\d+", which \S+ does not publish, or no longer/),
        },
      },
    });
  });

  it('is withdrawn within 5 minutes, also if no token names another', async () => {
    const { ask, issuer, clock } = await serveWithIssuer();
    const token = await issuer.sign();
    expect((await ask(token)).status).toBe(200);
    await issuer.rotate();
    clock.pass(5 * minute - 1);
    expect((await ask(token)).status).toBe(200);
    clock.pass(1);
    expect((await ask(token)).status).toBe(401);
  });

  it('makes no more than one request each 10 seconds, whatever keys tokens name', async () => {
    const { ask, issuer, clock } = await serveWithIssuer();
    expect((await ask(await issuer.sign())).status).toBe(200);
    const before = keysAsked(issuer.asked);
    clock.pass(10_000);
    for (let time = 0; time < 5; time++) {
      expect((await ask(await issuer.sign({}, { kid: `unknown-${time}` }))).status).toBe(401);
    }
    expect(keysAsked(issuer.asked) - before).toBe(1);
  });
});

describe('an issuer that does not answer', () => {
  it('at the start keeps out its own tokens alone, and lets them in when it answers', async () => {
    const log = recordingLog();
    const served = await serveWithIssuer({ isStarted: false, http: { log } });
    const { ask, issuer, clock, send } = served;
    const token = await issuer.sign();
    const reply = await eventually('it is known', async () => {
      const answer = await ask(token);
      return /ECONNREFUSED/.test(answer.text) ? answer : undefined;
    });
    expect(reply).toMatchObject({
      status: 503,
      headers: { 'retry-after': '10' },
      data: {
        error: {
          code: 'unavailable',
          message: expect.stringMatching(/^This token cannot be checked now: http\S+ does not answer/),
        },
      },
    });
    expect((await send('GET', '/api/whoami')).data.name).toBe('owner');
    await issuer.start();
    clock.pass(10_000);
    expect((await ask(token)).status).toBe(200);
    expect(log.lines.filter((line) => line.includes('issuer'))).toEqual([
      'warn: an issuer does not answer; its tokens are refused until it does, while others are good',
      'info: the issuer answers again',
    ]);
  });

  it('is trusted by the keys that it last published, for a day', async () => {
    const { ask, issuer, clock } = await serveWithIssuer();
    const sign = () => issuer.sign();
    expect((await ask(await sign())).status).toBe(200);
    await issuer.stop();
    clock.pass(23 * 60 * minute);
    expect((await ask(await sign())).status).toBe(200);
    clock.pass(60 * minute);
    expect((await ask(await sign())).status).toBe(503);
    await issuer.start();
    clock.pass(10_000);
    expect((await ask(await sign())).status).toBe(200);
  });

  it('within 5 seconds is waited for no longer, and is asked again', async () => {
    const { ask, issuer, clock } = await serveWithIssuer({ isStarted: false });
    await issuer.start();
    issuer.answer(() => {});
    clock.pass(10_000);
    const asking = ask(await issuer.sign());
    await eventually('it is asked', () => issuer.asked.length > 0);
    await collectMemory();
    expect(await asking).toMatchObject({
      status: 503,
      data: { error: { message: expect.stringMatching(/it has not answered within 5 s/) } },
    });
    issuer.answer(undefined);
    clock.pass(10_000);
    expect((await ask(await issuer.sign())).status).toBe(200);
  });

  it('as it should says how, and is asked again', async () => {
    const { ask, issuer, clock } = await serveWithIssuer({ isStarted: false });
    await issuer.start();
    for (const [answer, says] of oddAnswers) {
      issuer.answer((_, response) => answer(response, issuer.url));
      clock.pass(10_000);
      const reply = await ask(await issuer.sign());
      expect(reply).toMatchObject({ status: 503, data: { error: { message: expect.stringMatching(says) } } });
    }
    const bad = { kty: 'RSA', kid: 'short', alg: 'RS256', n: Buffer.alloc(64, 7).toString('base64url'), e: 'AQAB' };
    issuer.answer((request, response, usual) => {
      if (request.url === '/jwks') response.end(JSON.stringify({ keys: [bad] }));
      else usual(request, response);
    });
    clock.pass(10_000);
    const [, claims, signature] = (await issuer.sign()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'short', typ: 'at+jwt' })).toString('base64url');
    const refused = await ask([header, claims, signature].join('.'));
    expect(refused).toMatchObject({
      status: 401,
      data: { error: { message: expect.stringMatching(/by the key "short"/) } },
    });
    clock.pass(5 * minute);
    // Such as those that know OAuth alone.
    issuer.answer((request, response, usual) => {
      if (request.url === '/.well-known/openid-configuration') response.writeHead(404).end();
      else usual(request, response);
    });
    clock.pass(10_000);
    expect((await ask(await issuer.sign())).status).toBe(200);
  });
});

const oddAnswers: [answer: (response: ServerResponse, url: string) => void, says: RegExp][] = [
  [(response) => response.writeHead(500).end(), /answers with status 500/],
  [(response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(), /answers with status 302/],
  [(response) => response.end('<html>'), /its answer is not JSON/],
  [(response) => response.end('{"issuer": 1}'), /its answer is not as it should be/],
  [
    (response) => response.end('{"issuer": "https://other.example", "jwks_uri": "https://other.example/jwks"}'),
    /is that of the issuer "https:\/\/other.example": give that/,
  ],
  [
    (response, url) => response.end(JSON.stringify({ issuer: url, jwks_uri: 'http://10.0.0.1/jwks' })),
    /http:\/\/10\.0\.0\.1 is not an https address/,
  ],
  [(response) => response.end('x'.repeat(1_100_000)), /its answer has more than/],
];
