import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerSettings } from '../../src/base/server-settings.js';
import { prepareLaunch } from '../../src/downstream/connection/launch.js';
import { logIn } from '../../src/downstream/connection/oauth/log-in.js';
import { LoginFile } from '../../src/downstream/connection/oauth/login-file.js';
import { browse, startOAuthServer } from '../fixtures/servers/oauth-server.js';
import { eventually } from '../support/eventually.js';
import { movingClock } from '../support/moving-clock.js';
import { tempDir } from '../support/temp-dir.js';
import { testConfig } from '../support/test-runtime.js';
import { odd, textOf, toolRuntime } from './tool-runtime.js';

const command = 'agent-runtime servers login web';

/** Logs in to the server `web` as its user does. */
async function logInto(home: string, settings: ServerSettings): Promise<LoginFile> {
  const launch = prepareLaunch(settings, testConfig(home), 'test');
  if (launch.kind !== 'http') throw new Error('not a web server');
  const login = new LoginFile({ dataDir: join(home, 'data'), server: 'web', url: launch.url });
  await logIn({
    launch,
    login,
    now: Date.now,
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    show: (address) => void browse(address),
    onStranger: () => {},
  });
  return login;
}

const loginFile = (home: string) => join(home, 'data', 'oauth', 'web.json');

it('a server that wants a login is not called: the error names the command, and so do the lists', async () => {
  const server = await startOAuthServer();
  const { call, downstream } = await toolRuntime({ web: { url: server.url } });
  for (let tries = 0; tries < 8; tries++) {
    await expect(call('web.look')).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringContaining(command),
      hint: expect.stringContaining('Ask the user'),
    });
  }
  expect(downstream.sick()).toMatchObject([{ server: 'web', problem: expect.stringContaining(command) }]);
  expect(await downstream.servers()).toMatchObject([
    { server: 'web', health: 'down', problem: expect.stringContaining(command), instances: [{ state: 'needs_login' }] },
  ]);
  expect((await downstream.tools({})).unlisted).toMatchObject([{ problem: expect.stringContaining(command) }]);
});

it('a login counts at once for the session that was refused before, and for later ones; no other file is left', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const { call, home, downstream } = await toolRuntime({ web: settings });
  await expect(call('web.look')).rejects.toMatchObject({ code: 'not_configured' });
  await logInto(home, settings);
  expect(textOf(await call('web.look'))).toBe('look');
  expect(textOf(await call('web.add'))).toBe('add');
  expect(downstream.sick()).toEqual([]);
  const later = await toolRuntime({ web: settings }, { home });
  expect(textOf(await later.call('web.look'))).toBe('look');
  expect(server.grants).toEqual(['authorization_code']);
  expect(readdirSync(join(home, 'data', 'oauth'))).toEqual(['web.json']);
});

it.skipIf(process.platform === 'win32')('the tokens are readable by their owner alone', async () => {
  const server = await startOAuthServer();
  const home = tempDir();
  await logInto(home, { url: server.url });
  expect(statSync(loginFile(home)).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, 'data', 'oauth')).mode & 0o777).toBe(0o700);
});

it('a token that the server takes no more is renewed, and the call made once, though it is not safe', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const { call, home } = await toolRuntime({ web: settings });
  const login = await logInto(home, settings);
  await call('web.add');
  const before = login.read()?.tokens;
  server.expire();
  expect((await call('web.add')).attempts).toHaveLength(1);
  expect(server.calls).toEqual(['add', 'add']);
  expect(server.grants).toEqual(['authorization_code', 'refresh_token']);
  const after = login.read()?.tokens;
  expect(after?.access_token).not.toBe(before?.access_token);
  expect(after?.refresh_token).not.toBe(before?.refresh_token);
});

it('a token is renewed before it runs out, so that no request is refused for it', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const clock = movingClock(Date.now());
  const { call, home } = await toolRuntime({ web: settings }, { clock });
  await logInto(home, settings);
  await call('web.look');
  clock.pass(3_600_000 - 20_000);
  server.expire();
  await call('web.look');
  expect(server.grants).toEqual(['authorization_code', 'refresh_token']);
  expect(server.seen.filter(({ status, authorization }) => status === 401 && authorization)).toEqual([]);
});

it('after the authorization server has ended a login, a person is needed, also for calls of an open session', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url, backups: ['odd'] };
  const { call, home, downstream } = await toolRuntime({ web: settings, odd: odd() });
  await logInto(home, settings);
  await call('web.look');
  server.revoke();
  // Other servers go on.
  expect(await call('web.add')).toMatchObject({
    source: 'backup',
    attempts: [{ error: expect.stringContaining(command) }, {}],
  });
  expect(downstream.sick()).toMatchObject([{ server: 'web', problem: expect.stringContaining(command) }]);
  expect(JSON.parse(readFileSync(loginFile(home), 'utf8'))).not.toHaveProperty('tokens');
  await logInto(home, settings);
  expect(await call('web.add')).toMatchObject({ source: 'primary' });
});

it('an open session whose login has ended says so by its health check, and is back with the first call after a login', async () => {
  const server = await startOAuthServer();
  const settings: ServerSettings = { url: server.url, health: { interval: 100 } };
  const { call, home, downstream } = await toolRuntime({ web: settings });
  await logInto(home, settings);
  await call('web.look');
  server.revoke();
  await eventually('it is locked out', async () => {
    const [web] = await downstream.servers();
    return web?.instances[0]?.state === 'needs_login';
  });
  expect(await downstream.servers()).toMatchObject([{ instances: [{ breaker: 'closed' }] }]);
  await logInto(home, settings);
  expect((await call('web.add')).attempts).toMatchObject([{ source: 'primary' }]);
});

it('a server that wants more rights than the login has asks for another login, which then asks for them', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const { call, home } = await toolRuntime({ web: settings });
  await logInto(home, settings);
  await call('web.add');
  server.require('admin');
  await expect(call('web.add')).rejects.toMatchObject({
    code: 'not_configured',
    message: expect.stringContaining('wants a login with more rights (HTTP 403)'),
  });
  await logInto(home, settings);
  expect(textOf(await call('web.add'))).toBe('add');
});

it('a server of the older transport is logged in to as well, and its token renewed', async () => {
  const server = await startOAuthServer({ isSse: true });
  const settings: ServerSettings = { type: 'sse', url: server.url };
  const { call, home } = await toolRuntime({ web: settings });
  await expect(call('web.look')).rejects.toMatchObject({ code: 'not_configured' });
  await logInto(home, settings);
  expect(textOf(await call('web.look'))).toBe('look');
  server.expire();
  expect(textOf(await call('web.add'))).toBe('add');
  expect(server.grants).toEqual(['authorization_code', 'refresh_token']);
});

it('nobody is asked to log in where the login could not be kept', async () => {
  const server = await startOAuthServer();
  const home = tempDir();
  mkdirSync(join(home, 'data'));
  writeFileSync(join(home, 'data', 'oauth'), '');
  await expect(logInto(home, { url: server.url })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('The login to web could not be kept'),
  });
  expect(server.seen).toEqual([]);
});

it('sessions that renew at the same time ask once, and no refresh token is used twice', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const home = tempDir();
  await logInto(home, settings);
  const sessions = await Promise.all([1, 2, 3].map(() => toolRuntime({ web: settings }, { home })));
  await Promise.all(sessions.map(({ call }) => call('web.look')));
  for (let round = 1; round <= 3; round++) {
    server.expire();
    await Promise.all(sessions.flatMap(({ call }) => [call('web.add'), call('web.add')]));
    expect(server.grants.filter((grant) => grant === 'refresh_token')).toHaveLength(round);
  }
  expect(server.calls.filter((name) => name === 'add')).toHaveLength(18);
});

it('an authorization server that is down costs calls, and not the login; the error shows no token', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const { call, home } = await toolRuntime({ web: settings });
  const login = await logInto(home, settings);
  await call('web.add');
  const tokens = login.read()?.tokens;
  server.expire();
  await server.endLogins();
  const error = await call('web.add').catch((thrown: Error) => thrown);
  expect(error).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('its login could not be renewed'),
  });
  expect(login.read()?.tokens).toEqual(tokens);
});

it('a token goes to its own server alone: to no redirect, and to no other address under the same name', async () => {
  const server = await startOAuthServer();
  const strange: (string | undefined)[] = [];
  const other = createServer(({ headers }, response) => {
    strange.push(headers.authorization);
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/mcp`;
  const settings = { url: server.url };
  const { call, home } = await toolRuntime({ web: settings });
  await logInto(home, settings);
  await call('web.look');
  server.answer((_, response) => void response.writeHead(307, { location: elsewhere }).end());
  await expect(call('web.add')).rejects.toThrow();
  expect(strange).toEqual([]);
  const moved = await toolRuntime({ web: { url: elsewhere } }, { home });
  await expect(moved.call('web.look')).rejects.toMatchObject({ code: 'not_configured' });
  expect(strange.length).toBeGreaterThan(0);
  expect(strange.every((authorization) => authorization === undefined)).toBe(true);
});

it('what a server says of a token is shown without it', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const { call, home } = await toolRuntime({ web: settings });
  const login = await logInto(home, settings);
  await call('web.look');
  const token = login.read()?.tokens?.access_token ?? '';
  server.answer((_, response) => void response.writeHead(500).end(`cannot check ${token}`));
  const outcome = await call('web.add');
  expect(textOf(outcome)).toContain('cannot check [redacted]');
});

it('a login file that was damaged is no login', async () => {
  const server = await startOAuthServer();
  const settings = { url: server.url };
  const { call, home } = await toolRuntime({ web: settings });
  await logInto(home, settings);
  writeFileSync(loginFile(home), '{"url":');
  await expect(call('web.look')).rejects.toMatchObject({ code: 'not_configured' });
  expect(existsSync(`${loginFile(home)}.lock`)).toBe(false);
});
