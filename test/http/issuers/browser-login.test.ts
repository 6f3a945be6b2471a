import { expect, it } from 'vitest';
import { describeInBrowser, openPage } from '../../dashboard/open-page.js';
import { logInAt, startOidcIssuer } from '../../fixtures/servers/oidc-issuer.js';
import { freePort } from '../../support/free-port.js';
import type { Reply } from '../serve.js';
import { issuerAt, type ServedWithIssuer, serveWithIssuer } from './serve-with-issuer.js';

const minute = 60_000;

/** A server whose page lets people log in as a client with a secret. */
async function serveLogin() {
  const port = await freePort();
  const audience = `http://127.0.0.1:${port}`;
  const client = {
    client_id: 'page',
    client_secret: 'the secret of the page',
    token_endpoint_auth_method: 'client_secret_post',
    redirect_uris: [`${audience}/sign-in/callback`],
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
  };
  const life = { seconds: 3_600 };
  const served = await serveWithIssuer({
    clients: [client],
    lifeSeconds: () => life.seconds,
    settings: { audiences: [audience], client: { id: 'page', secret: client.client_secret } },
    http: { port, page: { answer: () => new Response('the page') } },
  });
  // The issuer's own clock is that of the system.
  served.clock.stepWallClock(Date.now() - served.clock.now());
  return { ...served, life };
}

const get = ({ send }: ServedWithIssuer, path: string, cookie = '') =>
  send('GET', path, { headers: { authorization: '', accept: 'text/html', cookie } });

const cookieIn = ({ headers }: Reply, name: string) =>
  headers['set-cookie']?.map((one) => one.split(';')[0] ?? '').find((pair) => pair.startsWith(`${name}=`)) ?? '';

/** Logs in as far as the answer of the issuer. */
async function begin(served: ServedWithIssuer) {
  const sent = await get(served, '/sign-in/with/acme?to=%2Fjobs%3Fstatus%3Dfailed');
  expect(sent.status).toBe(303);
  const { pathname, search } = await logInAt(new URL(sent.headers.location ?? ''));
  return { answer: `${pathname}${search}`, binding: cookieIn(sent, `agent_runtime_${served.server.port}_login`), sent };
}

it('a person logs in at the issuer, opens what was asked for, and stays for as long as the issuer renews the token', async () => {
  const served = await serveLogin();
  const { server, clock, issuer, life } = served;
  life.seconds = 60;
  const asked = await get(served, '/jobs?status=failed');
  expect(asked.status).toBe(401);
  expect(asked.text).toContain('<a href="/sign-in/with/acme?to=%2Fjobs%3Fstatus%3Dfailed">Log in with acme</a>');

  const { answer, binding, sent } = await begin(served);
  expect(sent.headers.location).not.toContain('secret');
  expect(sent.headers['set-cookie']?.[0]).toMatch(/Path=\/sign-in; HttpOnly; SameSite=Lax/);
  const entered = await get(served, answer, binding);
  expect(entered.status).toBe(200);
  expect(entered.text).toContain('content="0; url=/jobs?status=failed"');
  const session = cookieIn(entered, `agent_runtime_${server.port}`);
  expect(entered.headers['set-cookie']?.join()).toMatch(/HttpOnly; SameSite=Strict/);
  const whoami = async () => (await get(served, '/api/whoami', session)).data;
  expect(await whoami()).toMatchObject({ name: 'ada (acme)', read_only: false });

  // The token has ended, and the issuer gives another one, once for all who ask.
  const tokensAsked = () => issuer.asked.filter((address) => address === '/token').length;
  expect(tokensAsked()).toBe(1);
  life.seconds = 7_200;
  clock.pass(2 * minute);
  const all = await Promise.all([whoami(), whoami(), whoami()]);
  expect(all.map(({ name }) => name)).toEqual(['ada (acme)', 'ada (acme)', 'ada (acme)']);
  expect(tokensAsked()).toBe(2);

  await issuer.stop();
  clock.pass(121 * minute);
  expect((await get(served, '/api/whoami', session)).status).toBe(401);
});

it('the answer of an issuer lets in the browser that was sent there alone, and once', async () => {
  const served = await serveLogin();
  const { answer, binding } = await begin(served);
  const says = async (path: string, cookie?: string) => (await get(served, path, cookie)).text;
  expect(await says(answer)).toContain('was not begun in this browser');
  expect(await says(answer, binding.replace(/=.*/, '=another'))).toContain('was not begun in this browser');
  expect((await get(served, answer, binding)).status).toBe(200);
  expect(await says(answer, binding)).toContain('was not begun in this browser');
  expect(await served.runtime.access.listBrowsers()).toEqual([]);
});

it('a login that fails says why, and lets nobody in', async () => {
  const served = await serveLogin();
  const { answer, binding } = await begin(served);
  const state = new URLSearchParams(answer.split('?')[1]).get('state');
  const denied = await get(served, `/sign-in/callback?state=${state}&error=access_denied`, binding);
  expect(denied.text).toContain('acme has not let you in (access_denied).');

  const second = await begin(served);
  const forged = second.answer.replace(/code=[^&]*/, 'code=forged');
  expect((await get(served, forged, second.binding)).text).toMatch(/acme has given no token: 400 .*invalid_grant/);

  const third = await begin(served);
  const other = third.answer.replace(/iss=[^&]*/, 'iss=https%3A%2F%2Fevil.example');
  expect((await get(served, other, third.binding)).text).toContain('another issuer has answered');

  expect((await get(served, '/sign-in/with/nobody')).text).toContain('Nobody logs in with &quot;nobody&quot; here.');
  const late = await begin(served);
  served.clock.pass(10 * minute);
  expect((await get(served, late.answer, late.binding)).text).toContain('too long ago');
});

describeInBrowser('a browser', () => {
  it('comes back from an issuer of another site with its session', async () => {
    const port = await freePort();
    const client = {
      client_id: 'page',
      token_endpoint_auth_method: 'none',
      redirect_uris: [`http://localhost:${port}/sign-in/callback`],
      application_type: 'native',
    };
    const issuer = await startOidcIssuer({ clients: [client] });
    const audiences = [`http://localhost:${port}`];
    const issuers = [issuerAt(issuer.url, { audiences, client: { id: 'page', secret: undefined } })];
    const { page, problems } = await openPage('/', { port, issuers });
    problems.length = 0;
    // For a browser that is another site than 127.0.0.1, where the issuer is.
    await page.goto(`http://localhost:${port}/jobs?status=failed`);
    await page.getByRole('link', { name: 'Log in with acme' }).click();
    await page.getByRole('button', { name: 'Live' }).waitFor();
    expect(page.url()).toBe(`http://localhost:${port}/jobs?status=failed`);
    expect(await page.evaluate(async () => (await fetch('/api/whoami')).json())).toMatchObject({ name: 'ada (acme)' });
  });
});
