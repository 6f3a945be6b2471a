import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { expect, it, onTestFinished } from 'vitest';
import { logInAt, startOidcIssuer } from '../../fixtures/servers/oidc-issuer.js';
import { freePort } from '../../support/free-port.js';
import { serve } from '../serve.js';
import { issuerAt } from './serve-with-issuer.js';

/** What an MCP client keeps of a login; its browser is at the address that it was sent to. */
class Login implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:9/callback';
  readonly clientMetadata = {
    client_name: 'an editor',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  };
  opened: URL | undefined;
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';

  clientInformation = () => this.#client;
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client;
  }
  tokens = () => this.#tokens;
  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens;
  }
  redirectToAuthorization(address: URL) {
    this.opened = address;
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier = () => this.#verifier;
}

it('an MCP client that knows the address alone finds the issuer, lets its person log in, and calls a tool', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const issuer = await startOidcIssuer();
  const served = await serve({ port, issuers: [issuerAt(issuer.url, { audiences: [url] })] });
  const login = new Login();
  const transportOf = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: login });
  const connect = async (transport = transportOf()) => {
    const client = new Client({ name: 'editor', version: '1.0.0' });
    await client.connect(transport as Parameters<Client['connect']>[0]);
    onTestFinished(() => client.close());
    return client;
  };

  const first = transportOf();
  await expect(connect(first)).rejects.toThrow(UnauthorizedError);
  const { opened } = login;
  expect(opened?.origin).toBe(issuer.url);
  expect(Object.fromEntries(opened?.searchParams ?? [])).toMatchObject({
    scope: 'read write',
    resource: url,
    code_challenge_method: 'S256',
  });

  const back = await logInAt(opened as URL);
  expect(`${back.origin}${back.pathname}`).toBe(login.redirectUrl);
  await first.finishAuth(back.searchParams.get('code') ?? '');
  const client = await connect();
  const made = await client.callTool({ name: 'create_task', arguments: { title: 'Bake' } });
  expect(made.structuredContent).toMatchObject({ title: 'Bake' });

  const authorization = `Bearer ${login.tokens()?.access_token}`;
  const { data } = await served.send('GET', '/api/whoami', { headers: { authorization } });
  expect(data).toMatchObject({ name: 'ada (acme)', read_only: false });
});

it('the metadata of the whole server and of /mcp name the issuers, at the address by which they were asked for', async () => {
  const issuers = [issuerAt('https://one.example/'), issuerAt('https://two.example', { scopes: ['api://x/read'] })];
  const { send, server } = await serve({ issuers, allowedHosts: ['runtime.example'] });
  const none = { authorization: '' };
  const read = (path: string, headers = {}) => send('GET', path, { headers: { ...none, ...headers } });
  const well = '/.well-known/oauth-protected-resource';
  expect((await read(well)).data).toEqual({
    resource: server.url,
    authorization_servers: ['https://one.example/', 'https://two.example'],
    scopes_supported: ['read', 'write', 'api://x/read'],
    bearer_methods_supported: ['header'],
    resource_name: 'Agent Runtime',
  });
  const behindProxy = { host: 'runtime.example', 'x-forwarded-proto': 'https' };
  expect((await read(`${well}/mcp`, behindProxy)).data.resource).toBe('https://runtime.example/mcp');
  expect((await read(well, { host: 'evil.example' })).status).toBe(403);

  const challenge = (path: string, headers = {}) =>
    read(path, headers).then((reply) => [reply.status, reply.headers['www-authenticate']]);
  const scope = 'scope="read write api://x/read"';
  expect(await challenge('/mcp', behindProxy)).toEqual([
    401,
    `Bearer ${scope}, resource_metadata="https://runtime.example${well}/mcp"`,
  ]);
  expect(await challenge('/api/tools')).toEqual([401, `Bearer ${scope}, resource_metadata="${server.url}${well}"`]);
});

it('a server without issuers has no such metadata', async () => {
  const { send } = await serve();
  const reply = await send('GET', '/.well-known/oauth-protected-resource', { headers: { authorization: '' } });
  expect(reply).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
});
