import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readLocalToken } from '../../src/base/private-files.js';
import { startHttpProcess } from '../http/http-process.js';
import { sendRequest } from '../http/serve.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { connectServer } from '../support/mcp-client.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';
import { hasTerminal, textInTerminal } from './in-terminal.js';
import { runCli } from './run-cli.js';

const portOf = (url: string) => Number(new URL(url).port);
const ownerTokenOf = (home: string) => readLocalToken(join(home, '.claude', 'agent_runtime')) ?? '';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

it('a token is created, printed once, listed by name, and revoked', async () => {
  const home = tempDir();
  const made = await runCli(['token', 'create', '--name', 'laptop', '--json'], { home });
  const { id, token } = made.json();
  expect(token).toMatch(/^art_[0-9a-f]{12}_[\w-]{43}$/);
  const reader = (await runCli(['token', 'create', '--name', 'screen', '--read-only', '--json'], { home })).json();
  expect(reader.read_only).toBe(true);

  const { url } = await startHttpProcess(home);
  const tools = await sendRequest(portOf(url), 'GET', '/api/tools', bearer(token));
  expect(tools.status).toBe(200);
  const refused = await sendRequest(
    portOf(url),
    'POST',
    '/api/tools/create_task',
    bearer(reader.token),
    '{"title":"x"}',
  );
  expect(refused.status).toBe(403);

  const listed = await runCli(['token', 'list', '--json'], { home });
  expect(listed.stdout).not.toContain(token);
  expect(listed.json().tokens).toMatchObject([
    { id, name: 'laptop', read_only: false, last_used_at: expect.any(String) },
    { name: 'screen', read_only: true },
  ]);
  expect((await runCli(['token', 'revoke', 'laptop'], { home })).code).toBe(0);
  expect((await sendRequest(portOf(url), 'GET', '/api/tools', bearer(token))).status).toBe(401);
});

it.each([
  [['token', 'create', '--name', 'a/b'], 2, 'cannot be the name of a token'],
  [['token', 'create'], 2, '--name'],
  [['token', 'revoke', 'nobody'], 3, 'There is no token "nobody"'],
  [['dashboard', '--port', 'many'], 2, 'whole number'],
  [['serve', '--http', '--host', '0.0.0.0', '--no-token'], 2, 'anyone who reaches 0.0.0.0'],
  [['serve', '--http', '--issuer', 'https://login.example'], 2, '--issuer is set without --audience'],
])('%j is refused with exit code %i', async (args, code, message) => {
  const ended = await runCli(args, { home: tempDir() });
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(message);
});

it('PORT is honoured, and a taken port is named', async () => {
  const port = await freePort();
  const env = { PORT: String(port) };
  const first = await startHttpProcess(tempDir(), ['serve', '--http'], env);
  expect(portOf(first.url)).toBe(port);
  const second = await runCli(['serve', '--http'], { home: tempDir(), env });
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining(`Port ${port} on 127.0.0.1 is taken.`) });
});

it('the dashboard serves its page, is found by dashboard_url, and lets a reader in once', async () => {
  const home = tempDir();
  const session = await connectServer({ home });
  const dashboard = await startHttpProcess(home, ['dashboard', '--port', '0']);
  const { url } = await session.ok('dashboard_url');
  expect(url).toMatch(new RegExp(`^${dashboard.url}/\\?code=`));
  const { search } = new URL(url);
  const entered = await sendRequest(portOf(url), 'GET', `/${search}`, {});
  expect(entered.status).toBe(303);
  const cookie = entered.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const page = await sendRequest(portOf(url), 'GET', '/', { cookie });
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining('<title>Agent Runtime</title>') });
  expect((await sendRequest(portOf(url), 'GET', `/${search}`, {})).status).toBe(401);

  process.kill(dashboard.pid, 'SIGTERM');
  expect((await dashboard.ended).code).toBe(0);
});

/** The dashboards that live, so that a test can end what it made the runtime start. */
async function liveDashboards(home: string) {
  const runtime = await testRuntime({ home, env: { AGENT_RUNTIME_DATA_DIR: join(home, '.claude', 'agent_runtime') } });
  return (await runtime.httpServers.live()).filter(({ hasPage }) => hasPage);
}

it('dashboard_url starts a dashboard where none runs, one for all who ask, and it outlives them', async () => {
  const home = tempDir();
  const sessions = await Promise.all([connectServer({ home }), connectServer({ home })]);
  const urls = await Promise.all(sessions.map(({ ok }) => ok('dashboard_url')));
  const [dashboard, ...others] = await liveDashboards(home);
  if (dashboard) onTestFinished(() => void process.kill(dashboard.pid, 'SIGTERM'));
  expect(others).toEqual([]);
  for (const { url } of urls) expect(url).toMatch(new RegExp(`^${dashboard?.url}/\\?code=`));
  await Promise.all(sessions.map(({ close }) => close()));
  const entered = await sendRequest(portOf(urls[0].url), 'GET', `/${new URL(urls[0].url).search}`, {});
  expect(entered.status).toBe(303);
});

it('only the owner may have a dashboard started', async () => {
  const home = tempDir();
  const { token } = (await runCli(['token', 'create', '--name', 'laptop', '--json'], { home })).json();
  const { url } = await startHttpProcess(home);
  const reply = await sendRequest(portOf(url), 'POST', '/api/tools/dashboard_url', bearer(token));
  expect(reply.data.error).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('dashboard --open') });
  expect(await liveDashboards(home)).toEqual([]);
});

it('a dashboard ends when nobody has been connected for as long as it was told', async () => {
  const home = tempDir();
  const { url, ended } = await startHttpProcess(home, ['dashboard', '--port', '0', '--until-idle', '2']);
  const events = new AbortController();
  const stream = await fetch(`${url}/api/events`, { headers: bearer(ownerTokenOf(home)), signal: events.signal });
  const leftAt = performance.now() + 3_000;
  await eventually('it has been watched for longer than that', () => performance.now() > leftAt);
  expect((await sendRequest(portOf(url), 'GET', '/api/health', {})).status).toBe(200);
  events.abort();
  await stream.text().catch(() => {});
  expect((await ended).code).toBe(0);
});

it('a dashboard that would wait for an hour of idleness ends at a signal', async () => {
  const { pid, ended } = await startHttpProcess(tempDir(), ['dashboard', '--port', '0', '--until-idle', '3600']);
  process.kill(pid, 'SIGTERM');
  expect((await ended).code).toBe(0);
});

it('browsers are listed beside the tokens, and signed out by their id or with their token', async () => {
  const home = tempDir();
  const { token } = (await runCli(['token', 'create', '--name', 'laptop', '--json'], { home })).json();
  const { url, ownerUrl } = await startHttpProcess(home, ['dashboard', '--port', '0']);
  const ask = await sendRequest(portOf(url), 'POST', '/api/tools/dashboard_url', bearer(token));
  const signIn = async (address: string) => {
    const { headers } = await sendRequest(portOf(url), 'GET', `/${new URL(address).search}`, {});
    return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  };
  const [owners, laptops] = [await signIn(ownerUrl), await signIn(ask.data.url)];
  const statusOf = async (cookie: string) => (await sendRequest(portOf(url), 'GET', '/api/whoami', { cookie })).status;
  expect([await statusOf(owners), await statusOf(laptops)]).toEqual([200, 200]);

  const { browsers } = (await runCli(['token', 'list', '--json'], { home })).json();
  expect(browsers).toMatchObject([
    { token: 'owner', read_only: false, expires_at: expect.any(String) },
    { token: 'laptop', read_only: false },
  ]);
  if (hasTerminal) {
    const listed = await textInTerminal(['token', 'list'], { home });
    expect(listed).toMatch(/^ID +NAME +RIGHTS +CREATED +LAST USED +EXPIRES\n/);
    expect(listed).toMatch(new RegExp(`${browsers[0].id} +browser of owner +full +\\d+s ago +\\d+s ago +in 29d\n`));
  }
  const signedOut = await runCli(['token', 'revoke', browsers[0].id], { home });
  expect(signedOut.stdout).toBe(`Revoked ${browsers[0].id} (a browser of owner).\n`);
  await runCli(['token', 'revoke', 'laptop'], { home });
  expect([await statusOf(owners), await statusOf(laptops)]).toEqual([401, 401]);
  expect((await runCli(['token', 'list', '--json'], { home })).json()).toEqual({ tokens: [], browsers: [] });
});

it('dashboard --open gives the browser a code of its own, and no token to see among the arguments', async () => {
  const home = tempDir();
  const bin = join(home, 'bin');
  const seen = join(home, 'arguments');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\nprintf '%s' "$*" > ${seen}.part && mv ${seen}.part ${seen}\n`);
  chmodSync(join(bin, 'xdg-open'), 0o755);
  const env = { PATH: `${bin}:/usr/bin:/bin` };
  const { url, ownerUrl } = await startHttpProcess(home, ['dashboard', '--open', '--port', '0'], env);
  await eventually('the browser is opened', () => existsSync(seen));
  const opened = readFileSync(seen, 'utf8');
  for (const address of [ownerUrl, opened]) {
    expect(address).toMatch(new RegExp(`^${url}/\\?code=arc_[0-9a-f]{12}_[\\w-]{43}$`));
    expect(address).not.toContain(ownerTokenOf(home));
    const open = () => sendRequest(portOf(url), 'GET', `/${new URL(address).search}`, {});
    expect([(await open()).status, (await open()).status]).toEqual([303, 401]);
  }
});

it('dashboard_url does not name a dashboard that was killed', async () => {
  const home = tempDir();
  const session = await connectServer({ home });
  const dashboard = await startHttpProcess(home, ['dashboard', '--port', '0']);
  process.kill(dashboard.pid, 'SIGKILL');
  await dashboard.ended;
  const { url } = await session.ok('dashboard_url');
  const [started] = await liveDashboards(home);
  if (started) onTestFinished(() => void process.kill(started.pid, 'SIGTERM'));
  expect(started?.pid).not.toBe(dashboard.pid);
  expect(new URL(url).origin).toBe(started?.url);
});

it('serve --http has no page', async () => {
  const home = tempDir();
  const { url, ownerUrl } = await startHttpProcess(home);
  expect(ownerUrl).toBe(url);
  const token = ownerTokenOf(home);
  expect((await sendRequest(portOf(url), 'GET', '/board', bearer(token))).status).toBe(404);
});
