import {
  discoverAuthorizationServerMetadata,
  extractWWWAuthenticateParams,
  refreshAuthorization,
} from '@modelcontextprotocol/sdk/client/auth.js';
import {
  InvalidClientError,
  InvalidGrantError,
  UnauthorizedClientError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { createRedactor } from '../../../base/redact.js';
import type { HttpServerSettings } from '../../../base/server-settings.js';
import { CallFailure } from '../call-failure.js';
import { type LoginFile, loginCommand, type StoredClient, type StoredLogin, type StoredTokens } from './login-file.js';
import { oauthFetch, whyOf } from './oauth-fetch.js';

export type OAuthSettings = NonNullable<HttpServerSettings['oauth']>;

export interface AuthorizationNeeds {
  login: LoginFile;
  oauth: OAuthSettings;
  /** Milliseconds since 1970. */
  now(): number;
  fetch: typeof fetch;
}

/** The token of a login on each request to its server, renewed when it has run out (MCP spec 2025-11-25, authorization). */
export class Authorization {
  readonly #needs: AuthorizationNeeds;
  #renewing: Promise<string | undefined> | undefined;
  #refusal: CallFailure | undefined;

  constructor(needs: AuthorizationNeeds) {
    this.#needs = needs;
  }

  /** Set while the server refuses what there is. A library between may not pass on the error that says so. */
  get refusal(): CallFailure | undefined {
    return this.#refusal;
  }

  /** Throws CallFailure: `needs_login`, and `rejected` if the token could not be renewed now. A property: it is a callback. */
  readonly fetch: typeof fetch = async (input, init) => {
    const { login, fetch } = this.#needs;
    // A token is for its own server, whatever address the server itself names.
    if (new URL(input instanceof Request ? input.url : input).origin !== login.url.origin) return fetch(input, init);
    const token = await this.#currentToken();
    const response = await fetch(input, withToken(init, token));
    if (!isRefused(response)) return this.#accepted(response);
    await response.body?.cancel();
    const renewed = response.status === 401 && token !== undefined ? await this.#renew(token) : undefined;
    if (renewed === undefined) throw await this.#refused(response);
    const second = await fetch(input, withToken(init, renewed));
    if (!isRefused(second)) return this.#accepted(second);
    await second.body?.cancel();
    throw await this.#refused(second);
  };

  /** A text without the secrets of this login. */
  redact(text: string): string {
    const { tokens, client } = this.#needs.login.read() ?? {};
    const secrets = [tokens?.access_token, tokens?.refresh_token, client?.client_secret];
    const { clientSecret } = this.#needs.oauth;
    return createRedactor([...secrets, clientSecret].filter((secret) => secret !== undefined))(text);
  }

  async #currentToken(): Promise<string | undefined> {
    const { login, now } = this.#needs;
    const tokens = login.read()?.tokens;
    if (!tokens) return undefined;
    const { access_token: token, refresh_token: refreshToken, renewAt } = tokens;
    if (renewAt === undefined || now() < renewAt || refreshToken === undefined) return token;
    return this.#renew(token);
  }

  /** Requests of one process that find the same token refused wait for one renewal. */
  #renew(used: string): Promise<string | undefined> {
    this.#renewing ??= renew(this.#needs, used)
      .catch((error: unknown) => {
        if (error instanceof CallFailure) throw error;
        throw new CallFailure('rejected', `its login could not be renewed: ${whyOf(error)}`, { cause: error });
      })
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  async #accepted(response: Response): Promise<Response> {
    this.#refusal = undefined;
    if (response.ok) await this.#mark(false);
    return response;
  }

  async #refused(response: Response): Promise<CallFailure> {
    const { login } = this.#needs;
    const what = response.status === 403 ? 'wants a login with more rights' : 'wants a login';
    this.#refusal = new CallFailure(
      'needs_login',
      `it ${what} (HTTP ${response.status}); run: ${loginCommand(login.server)}`,
    );
    await this.#mark(true, response.status === 403 ? extractWWWAuthenticateParams(response).scope : undefined);
    return this.#refusal;
  }

  /** For those who look at the server without calling it. What is true of a call does not depend on it. */
  async #mark(isWanted: boolean, scope?: string): Promise<void> {
    await this.#needs.login.mark(isWanted, scope).catch(() => {});
  }
}

function isRefused(response: Response): boolean {
  if (response.status === 401) return true;
  return response.status === 403 && extractWWWAuthenticateParams(response).error === 'insufficient_scope';
}

function withToken(init: RequestInit | undefined, token: string | undefined): RequestInit | undefined {
  if (token === undefined) return init;
  const headers = new Headers(init?.headers);
  headers.set('authorization', `Bearer ${token}`);
  return { ...init, headers };
}

/**
 * A token in place of `used`, from whichever process was first to fetch one: a refresh token is good for one use, and a
 * second use may end the login. Undefined if only a person can log in again. Throws CallFailure `rejected`.
 */
function renew({ login, oauth, now }: AuthorizationNeeds, used: string): Promise<string | undefined> {
  return login.locked(async () => {
    const stored = login.read();
    if (!stored?.tokens) return undefined;
    const { access_token: current, refresh_token: refreshToken } = stored.tokens;
    if (current !== used) return current;
    const client = clientOf(oauth, stored);
    const { authorizationServer: server } = stored;
    if (refreshToken === undefined || client === undefined || server === undefined) return undefined;
    try {
      const metadata = await discoverAuthorizationServerMetadata(server, { fetchFn: oauthFetch });
      const tokens = await refreshAuthorization(server, {
        ...(metadata && { metadata }),
        clientInformation: client,
        refreshToken,
        ...(stored.resource !== undefined && { resource: stored.resource }),
        fetchFn: oauthFetch,
      });
      login.write({ ...stored, tokens: storedTokens(tokens, now()) });
      return tokens.access_token;
    } catch (error) {
      if (!isFinal(error)) {
        throw new CallFailure('rejected', `its login could not be renewed: ${withoutSecrets(whyOf(error), stored)}`, {
          cause: error,
        });
      }
      const newer = login.read()?.tokens;
      if (newer && newer.refresh_token !== refreshToken) return newer.access_token;
      const { tokens: _, ...rest } = stored;
      login.write({ ...rest, isWanted: true });
      return undefined;
    }
  });
}

/** The authorization server knows the refresh token, or this client, no more. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof InvalidGrantError ||
    error instanceof InvalidClientError ||
    error instanceof UnauthorizedClientError
  );
}

/** The client of the config file before the one that was registered. */
export function clientOf({ clientId, clientSecret }: OAuthSettings, stored?: StoredLogin): StoredClient | undefined {
  if (clientId === undefined) return stored?.client;
  return { client_id: clientId, ...(clientSecret !== undefined && { client_secret: clientSecret }) };
}

/** Before its end a token is renewed by a tenth of its life, 30 s at most. */
export function storedTokens(tokens: OAuthTokens, now: number): StoredTokens {
  const { access_token, refresh_token, scope, expires_in: seconds } = tokens;
  return {
    access_token,
    ...(refresh_token !== undefined && { refresh_token }),
    ...(scope !== undefined && { scope }),
    ...(seconds !== undefined && { renewAt: now + seconds * 1_000 - Math.min(30_000, seconds * 100) }),
  };
}

function withoutSecrets(text: string, { tokens, client }: StoredLogin): string {
  const secrets = [tokens?.access_token, tokens?.refresh_token, client?.client_secret];
  return createRedactor(secrets.filter((secret) => secret !== undefined))(text);
}
