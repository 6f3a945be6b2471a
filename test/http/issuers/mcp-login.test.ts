import {
  Client as ModernClient,
  type OAuthClientProvider as ModernProvider,
  StreamableHTTPClientTransport as ModernTransport,
  UnauthorizedError as ModernUnauthorizedError,
} from '@modelcontextprotocol/client';
import type { OAuthClientProvider, OAuthDiscoveryState } from '@modelcontextprotocol/sdk/client/auth.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { expect, it, onTestFinished } from 'vitest';
import { listEvents } from '../../../src/core/events/events.js';
import { logInAt, startOidcIssuer } from '../../fixtures/servers/oidc-issuer.js';
import { freePort } from '../../support/free-port.js';
import { modern } from '../../support/modern-client.js';
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
  #found: OAuthDiscoveryState | undefined;

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
  saveDiscoveryState(found: OAuthDiscoveryState) {
    this.#found = found;
  }
  discoveryState = () => this.#found;
}

interface Attempt {
  /** Rejects with its SDK's UnauthorizedError if a person has to log in first. */
  connect(): Promise<unknown>;
  finishAuth(callback: URL): Promise<void>;
  createTask(title: string): Promise<unknown>;
}

function clientOf2025(url: string, authProvider: Login): Attempt {
  const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
  const client = new Client({ name: 'editor', version: '1.0.0' });
  onTestFinished(() => client.close());
  return {
    connect: () => client.connect(transport as Parameters<Client['connect']>[0]),
    finishAuth: ({ searchParams }) => transport.finishAuth(searchParams.get('code') ?? ''),
    createTask: (title) => client.callTool({ name: 'create_task', arguments: { title } }),
  };
}

function clientOf2026(url: string, authProvider: Login): Attempt {
  const transport = new ModernTransport(new URL(url), { authProvider: authProvider as ModernProvider });
  const client = new ModernClient(
    { name: 'editor', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: modern } } },
  );
  onTestFinished(() => client.close());
  return {
    connect: () => client.connect(transport),
    finishAuth: ({ searchParams }) => transport.finishAuth(searchParams),
    createTask: (title) => client.callTool({ name: 'create_task', arguments: { title } }),
  };
}

it.each([
  // It acts as a session, which has a name of its own.
  ['2025-11-25', clientOf2025, UnauthorizedError, expect.stringMatching(/^\w+:/)],
  [modern, clientOf2026, ModernUnauthorizedError, 'user:ada (acme)'],
] as const)(
  'an MCP client of %s that knows the address alone finds the issuer, lets its person log in, and calls a tool',
  async (_, clientOf, NotLoggedIn, actor) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/mcp`;
    const issuer = await startOidcIssuer();
    const served = await serve({ port, issuers: [issuerAt(issuer.url, { audiences: [url] })] });
    const login = new Login();
    const first = clientOf(url, login);
    await expect(first.connect()).rejects.toThrow(NotLoggedIn);
    const { opened } = login;
    expect(opened?.origin).toBe(issuer.url);
    expect(Object.fromEntries(opened?.searchParams ?? [])).toMatchObject({
      scope: 'read write',
      resource: url,
      code_challenge_method: 'S256',
    });

    const back = await logInAt(opened as URL);
    expect(`${back.origin}${back.pathname}`).toBe(login.redirectUrl);
    await first.finishAuth(back);
    const second = clientOf(url, login);
    await second.connect();
    expect(await second.createTask('Bake')).toMatchObject({ structuredContent: { title: 'Bake' } });
    const [event] = await listEvents(served.runtime.db, { subject: 'task', limit: 1 });
    expect([event?.type, event?.actor]).toEqual(['created', actor]);

    const authorization = `Bearer ${login.tokens()?.access_token}`;
    const { data } = await served.send('GET', '/api/whoami', { headers: { authorization } });
    expect(data).toMatchObject({ name: 'ada (acme)', read_only: false });
  },
);

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
