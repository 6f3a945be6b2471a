import { randomBytes } from 'node:crypto';
import {
  discoverAuthorizationServerMetadata,
  discoverOAuthServerInfo,
  exchangeAuthorization,
  extractWWWAuthenticateParams,
  type OAuthServerInfo,
  registerClient,
  startAuthorization,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { checkResourceAllowed } from '@modelcontextprotocol/sdk/shared/auth-utils.js';
import { LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/sdk/types.js';
import { messageOf, RuntimeError } from '../../../base/errors.js';
import { timeoutSignal } from '../../../base/timeout-signal.js';
import { homepage, version } from '../../../base/version.js';
import type { Launch } from '../launch.js';
import { clientOf, storedTokens } from './authorization.js';
import { type Callback, openCallback } from './callback.js';
import { type LoginFile, loginCommand, type StoredClient } from './login-file.js';
import { oauthFetch, requireSecure, whyOf } from './oauth-fetch.js';

export interface LogInNeeds {
  launch: Extract<Launch, { kind: 'http' }>;
  login: LoginFile;
  /** Milliseconds since 1970. */
  now(): number;
  /** For the person. */
  timeoutMs: number;
  signal: AbortSignal;
  /** Shows the person where to log in. */
  show(address: string): void;
  /** A redirect has come that belongs to another login, or to none. */
  onStranger(): void;
}

/**
 * Logs a person in to a server by OAuth 2.1 with PKCE (MCP spec 2025-11-25, authorization), and keeps the tokens. Nothing
 * is kept before the end. Throws RuntimeError: `unavailable` for a server or authorization server that does not play along,
 * `conflict` if the login was refused, `timeout`, `cancelled`, `invalid` for a server that asks for none.
 */
export async function logIn(needs: LogInNeeds): Promise<void> {
  const { launch, login } = needs;
  const { oauth } = launch;
  await requireWritable(login);
  const found = await discover(needs);
  const callback = await openCallback(oauth.callbackPort);
  try {
    const client = clientOf(oauth) ?? (await register(found, callback.redirectUri, login.server));
    const authorizationServer = String(found.authorizationServerUrl);
    const metadata = found.authorizationServerMetadata;
    const resource = found.resourceMetadata?.resource;
    const common = {
      ...(metadata && { metadata }),
      clientInformation: client,
      ...(resource !== undefined && { resource }),
    };
    const { code, codeVerifier } = await askPerson(needs, { found, callback, client });
    const tokens = await exchangeAuthorization(authorizationServer, {
      ...common,
      authorizationCode: code,
      codeVerifier,
      redirectUri: callback.redirectUri,
      fetchFn: oauthFetch,
    }).catch((error: unknown) => {
      throw failed(login.server, `gave no token: ${whyOf(error)}`, error);
    });
    await login.locked(async () =>
      login.write({
        authorizationServer,
        ...(resource !== undefined && { resource }),
        // A client of the config file stays there.
        ...(clientOf(oauth) === undefined && { client }),
        tokens: storedTokens(tokens, needs.now()),
      }),
    );
  } finally {
    callback.close();
  }
}

/** Before anybody is asked to log in. */
async function requireWritable(login: LoginFile): Promise<void> {
  await login
    .locked(async () => {})
    .catch((error: unknown) => {
      if (error instanceof RuntimeError) throw error;
      throw new RuntimeError(
        'unavailable',
        `The login to ${login.server} could not be kept: ${messageOf(error)}.`,
        'Make the data folder writable; `agent-runtime doctor` shows which it is.',
        { cause: error },
      );
    });
}

interface Found extends OAuthServerInfo {
  scope: string | undefined;
}

/** Which authorization server is asked, and for what: as the server itself says. */
async function discover({ launch: { url, oauth, isSse, headers }, login }: LogInNeeds): Promise<Found> {
  const { server } = login;
  try {
    requireSecure(url);
    const response = await oauthFetch(
      url,
      isSse ? { headers: { ...headers, accept: 'text/event-stream' } } : first(headers),
    );
    await response.body?.cancel();
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
    const info = await discoverOAuthServerInfo(url, {
      ...(resourceMetadataUrl && { resourceMetadataUrl }),
      fetchFn: oauthFetch,
    });
    const { resourceMetadata, authorizationServerMetadata } = info;
    if (response.ok && !resourceMetadata) throw asksForNone(server);
    if (!authorizationServerMetadata) throw new Error(`${info.authorizationServerUrl} does not say how to log in`);
    if (
      resourceMetadata &&
      !checkResourceAllowed({ requestedResource: url, configuredResource: resourceMetadata.resource })
    ) {
      throw new Error(`its metadata are those of ${resourceMetadata.resource}`);
    }
    const asked = scope ?? resourceMetadata?.scopes_supported?.join(' ');
    return { ...info, scope: oauth.scopes ?? login.read()?.wantedScope ?? asked };
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    throw failed(server, `cannot begin: ${whyOf(error)}`, error);
  }
}

/** The request that a client begins with; whoever wants a login says so in answer to it. */
function first(headers: Readonly<Record<string, string>>): RequestInit {
  const clientInfo = { name: 'agent-runtime-mcp', version };
  const params = { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo };
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  };
}

/** Registers this program with the authorization server (RFC 7591), anew for each login: the port is another each time. */
async function register(found: Found, redirectUri: string, server: string): Promise<StoredClient> {
  try {
    const { client_id, client_secret, token_endpoint_auth_method } = await registerClient(
      found.authorizationServerUrl,
      {
        ...(found.authorizationServerMetadata && { metadata: found.authorizationServerMetadata }),
        clientMetadata: {
          client_name: 'Agent Runtime',
          ...(homepage && { client_uri: homepage }),
          redirect_uris: [redirectUri],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
        },
        ...(found.scope !== undefined && { scope: found.scope }),
        fetchFn: oauthFetch,
      },
    );
    return {
      client_id,
      ...(client_secret !== undefined && { client_secret }),
      ...(token_endpoint_auth_method !== undefined && { token_endpoint_auth_method }),
    };
  } catch (error) {
    throw new RuntimeError(
      'unavailable',
      `The authorization server ${found.authorizationServerUrl} of ${server} does not register clients: ${whyOf(error)}`,
      'Register a client there by hand, with the redirect address http://localhost:PORT/callback, and set oauth.clientId ' +
        'and oauth.callbackPort of the server in the config file.',
      { cause: error },
    );
  }
}

async function askPerson(
  { login: { server }, timeoutMs, signal, show, onStranger }: LogInNeeds,
  { found, callback, client }: { found: Found; callback: Callback; client: StoredClient },
): Promise<{ code: string; codeVerifier: string }> {
  const state = randomBytes(32).toString('base64url');
  const metadata = found.authorizationServerMetadata;
  const { authorizationUrl, codeVerifier } = await startAuthorization(found.authorizationServerUrl, {
    ...(metadata && { metadata }),
    clientInformation: client,
    redirectUrl: callback.redirectUri,
    state,
    ...(found.scope !== undefined && { scope: found.scope }),
    ...(found.resourceMetadata && { resource: found.resourceMetadata.resource }),
  });
  // It is opened by a program of this machine: no other kind of address may get there.
  requireSecure(authorizationUrl);
  const timeout = timeoutSignal(timeoutMs);
  const answered = callback.wait(state, { signal: AbortSignal.any([signal, timeout]), onStranger });
  show(authorizationUrl.href);
  const answer = await answered.catch((error: unknown) => {
    if (signal.aborted) throw new RuntimeError('cancelled', `The login to ${server} was cancelled.`);
    if (!timeout.aborted) throw error;
    throw new RuntimeError(
      'timeout',
      `Nobody has logged in to ${server} within ${Math.round(timeoutMs / 1_000)} s.`,
      `Run ${loginCommand(server)} again, with --timeout if it takes longer.`,
    );
  });
  const issuer = answer.get('iss');
  if (issuer !== null && metadata && issuer !== metadata.issuer) {
    throw failed(server, `was answered by ${JSON.stringify(issuer)} in place of ${metadata.issuer}`);
  }
  const code = answer.get('code');
  if (code === null) {
    const reason = [answer.get('error') ?? 'no reason given', answer.get('error_description')]
      .filter(Boolean)
      .join(': ');
    throw new RuntimeError(
      'conflict',
      `The login to ${server} was refused: ${reason.slice(0, 300)}`,
      `Run ${loginCommand(server)} again, and agree there.`,
    );
  }
  return { code, codeVerifier };
}

/** Deletes a login, and tells its authorization server as well as that goes. Resolves to whether there was one. */
export async function logOut(login: LoginFile, oauth: LogInNeeds['launch']['oauth']): Promise<boolean> {
  return login.locked(async () => {
    const stored = login.read();
    login.remove();
    if (!stored?.tokens) return false;
    const client = clientOf(oauth, stored);
    const token = stored.tokens.refresh_token ?? stored.tokens.access_token;
    if (client && stored.authorizationServer) {
      await revoke(stored.authorizationServer, client, token).catch(() => {});
    }
    return true;
  });
}

/** RFC 7009. Whoever offers no revocation forgets the tokens when they run out. */
async function revoke(authorizationServer: string, client: StoredClient, token: string): Promise<void> {
  const metadata = await discoverAuthorizationServerMetadata(authorizationServer, { fetchFn: oauthFetch });
  const endpoint = metadata && 'revocation_endpoint' in metadata ? metadata.revocation_endpoint : undefined;
  if (typeof endpoint !== 'string') return;
  const { client_id, client_secret } = client;
  const body = new URLSearchParams({ token, client_id, ...(client_secret !== undefined && { client_secret }) });
  const response = await oauthFetch(endpoint, { method: 'POST', body });
  await response.body?.cancel();
}

function asksForNone(server: string): RuntimeError {
  return new RuntimeError(
    'invalid',
    `The server ${server} asks for no login.`,
    `Run: agent-runtime servers check ${server}`,
  );
}

function failed(server: string, what: string, cause?: unknown): RuntimeError {
  return new RuntimeError('unavailable', `The login to ${server} ${what}.`, 'Ask those who run the server.', { cause });
}
