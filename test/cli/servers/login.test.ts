// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the config file's own placeholders.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ServerSettings } from '../../../src/base/server-settings.js';
import { browse, startOAuthServer } from '../../fixtures/servers/oauth-server.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/free-port.js';
import { tempDir } from '../../support/temp-dir.js';
import { runCli, startCli } from '../run-cli.js';

function homeWith(mcpServers: Record<string, ServerSettings>): string {
  const home = tempDir();
  mkdirSync(join(home, '.claude'));
  writeFileSync(join(home, '.claude', 'agent_runtime.json'), JSON.stringify({ mcpServers }));
  return home;
}

/** Starts the command, and resolves to it with the address that it has printed. */
async function startLogin(home: string, args: string[] = []) {
  const cli = startCli(['servers', 'login', 'web', '--no-browser', ...args], { home });
  const addressIn = () => /http:\S+/.exec(cli.stderr())?.[0];
  const ended = cli.ended.then((end) => {
    const address = addressIn();
    if (address === undefined) throw new Error(`it ended first: ${end.stderr}`);
    return address;
  });
  const printed = eventually('it prints the address', addressIn);
  return { ...cli, address: await Promise.race([printed, ended]) };
}

it('login prints the address, waits for the browser and keeps the tokens; logout ends them on both sides', async () => {
  const server = await startOAuthServer();
  const home = homeWith({ web: { url: server.url } });
  const call = () => runCli(['tool', 'call_tool', '--arg', 'tool_name=web.add', '--json'], { home });
  const refused = await call();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('agent-runtime servers login web');
  const doctor = await runCli(['doctor', '--json'], { home });
  expect(JSON.stringify(doctor.json())).toContain('needs a login');

  const { address, ended } = await startLogin(home);
  const asked = new URL(address).searchParams;
  expect(asked.get('code_challenge_method')).toBe('S256');
  expect(asked.get('resource')).toBe(server.url);
  expect(asked.get('scope')).toBe('look add');
  expect(await browse(address)).toMatchObject({ status: 200, text: 'Done. You can close this page.\n' });
  expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('Logged in to web.') });
  expect((await call()).json()).toMatchObject({ result: { content: [{ text: 'add' }] } });

  expect(await runCli(['servers', 'logout', 'web'], { home })).toMatchObject({
    code: 0,
    stdout: 'Logged out of web.\n',
  });
  expect(server.isLoggedIn()).toBe(false);
  expect((await call()).code).toBe(1);
  expect((await runCli(['servers', 'logout', 'web', '--json'], { home })).json()).toEqual({
    server: 'web',
    was_logged_in: false,
  });
});

it('two processes that renew a login at the same time ask once', async () => {
  const server = await startOAuthServer();
  const home = homeWith({ web: { url: server.url } });
  const { address, ended } = await startLogin(home);
  await browse(address);
  expect((await ended).code).toBe(0);
  server.expire();
  const call = () => runCli(['tool', 'call_tool', '--arg', 'tool_name=web.look', '--json'], { home });
  const ends = await Promise.all([call(), call(), call()]);
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(server.grants).toEqual(['authorization_code', 'refresh_token']);
});

it('a redirect with another state is turned away, and the right one still counts', async () => {
  const server = await startOAuthServer();
  const { address, ended } = await startLogin(homeWith({ web: { url: server.url } }));
  const redirect = new URL(new URL(address).searchParams.get('redirect_uri') ?? '');
  redirect.search = '?code=stolen&state=guessed';
  expect(await browse(redirect.href)).toMatchObject({ status: 400 });
  redirect.search = '?code=stolen';
  expect(await browse(redirect.href)).toMatchObject({ status: 400 });
  expect(server.grants).toEqual([]);
  expect((await browse(address)).status).toBe(200);
  const end = await ended;
  expect(end.code).toBe(0);
  expect(end.stderr).toContain('belongs to another login was turned away');
});

it('a login that the person refuses, or that nobody completes, keeps nothing and says so', async () => {
  const server = await startOAuthServer();
  const home = homeWith({ web: { url: server.url } });
  server.deny();
  const denied = await startLogin(home);
  expect((await browse(denied.address)).status).toBe(400);
  const refused = await denied.ended;
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain('The login to web was refused: access_denied');
  const late = await startLogin(home, ['--timeout', '1']);
  const ended = await late.ended;
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('Nobody has logged in to web within 1 s.');
  expect(() => readFileSync(join(home, '.claude', 'agent_runtime', 'oauth', 'web.json'))).toThrow();
});

it('where clients cannot register themselves, the error says what to set; a client of the config file then works', async () => {
  const server = await startOAuthServer({ registers: false });
  const refused = await runCli(['servers', 'login', 'web', '--no-browser'], {
    home: homeWith({ web: { url: server.url } }),
  });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('does not register clients');
  expect(refused.stderr).toContain('oauth.clientId');
  const callbackPort = await freePort();
  server.clients.set('given', {
    client_id: 'given',
    client_secret: 'a-secret-of-the-client',
    redirect_uris: [`http://localhost:${callbackPort}/callback`],
    token_endpoint_auth_method: 'client_secret_post',
  });
  const home = homeWith({
    web: {
      url: server.url,
      oauth: { clientId: 'given', clientSecret: '${CLIENT_SECRET}', callbackPort, scopes: 'look' },
    },
  });
  const env = { CLIENT_SECRET: 'a-secret-of-the-client' };
  const cli = startCli(['servers', 'login', 'web', '--no-browser'], { home, env });
  const address = await eventually('it prints the address', () => /http:\S+/.exec(cli.stderr())?.[0]);
  expect(new URL(address).searchParams.get('redirect_uri')).toBe(`http://localhost:${callbackPort}/callback`);
  expect(new URL(address).searchParams.get('scope')).toBe('look');
  await browse(address);
  expect((await cli.ended).code).toBe(0);
  server.expire();
  const call = await runCli(['tool', 'call_tool', '--arg', 'tool_name=web.look', '--json'], { home, env });
  expect(call.json()).toMatchObject({ result: { content: [{ text: 'look' }] } });
  expect(readFileSync(join(home, '.claude', 'agent_runtime', 'oauth', 'web.json'), 'utf8')).not.toContain(
    env.CLIENT_SECRET,
  );
});

it('login says what is wrong with a server that nobody can log in to', async () => {
  const home = homeWith({
    tool: { command: 'x' },
    keyed: { url: 'https://example.org/mcp', headers: { authorization: 'Bearer x' } },
    plain: { url: 'http://example.org/mcp' },
  });
  const login = async (name: string) => (await runCli(['servers', 'login', name], { home })).stderr;
  expect(await login('tool')).toContain('is a command of this machine');
  expect(await login('keyed')).toContain('gets an Authorization header from the config file');
  expect(await login('plain')).toContain('http://example.org is not an https address');
  expect(await login('nobody')).toContain('Its servers are: tool, keyed, plain.');
});
