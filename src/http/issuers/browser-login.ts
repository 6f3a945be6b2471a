import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock, EpochMs } from '../../base/clock.js';
import { type Issuer, isComplete } from '../../base/issuer-settings.js';
import type { IssuedPass } from '../../core/access/pass.js';
import { oauthFetch, whyOf } from '../../downstream/connection/oauth/oauth-fetch.js';
import type { Issuers } from './issuers.js';
import { KeysUnavailable } from './signing-keys.js';

/** A login that a browser has been sent away for. */
interface Pending {
  issuer: Issuer;
  /** What the browser's cookie holds: the answer is taken from that browser alone. */
  browser: string;
  verifier: string;
  redirectUri: string;
  to: string;
  endsAt: EpochMs;
}

export interface Begun {
  /** Where the browser is sent. */
  address: URL;
  /** What its cookie holds meanwhile. */
  browser: string;
}

export interface LoggedIn {
  pass: IssuedPass;
  /** What the person had asked for. */
  to: string;
  /** Gets the pass of a new token when this one has ended; undefined if the issuer gives none without the person. */
  renew: Renew | undefined;
}

export type Renew = () => Promise<{ pass: IssuedPass; renew: Renew | undefined } | undefined>;

export type LoginOutcome = LoggedIn | { problem: string; to: string };

export interface BrowserLogin {
  /** The issuers at which people can log in. */
  readonly offered: readonly Issuer[];
  /** Begins a login. Resolves to undefined for a name that is not offered; a text says why it cannot begin now. */
  begin(name: string, asked: { to: string; redirectUri: string }): Promise<Begun | string | undefined>;
  /** Takes the answer of the issuer, from the browser that was sent to it. */
  finish(answer: URLSearchParams, browser: string | undefined): Promise<LoginOutcome>;
}

/** How long a person may take. */
export const loginMs = 10 * 60_000;
const mostPending = 1_000;

const tokenAnswer = z.object({ access_token: z.string(), refresh_token: z.string().optional() });
type Tokens = z.output<typeof tokenAnswer>;

/** Lets people log in at an issuer: an authorization code with PKCE (OAuth 2.1, section 4.1), whose token stays here. */
export function createBrowserLogin({ issuers, now }: { issuers: Issuers } & Pick<Clock, 'now'>): BrowserLogin {
  const offered = issuers.all.filter(({ client }) => client && isComplete(client));
  const pending = new Map<string, Pending>();

  function keep(state: string, login: Pending): void {
    for (const [key, { endsAt }] of pending) {
      if (now() >= endsAt || pending.size >= mostPending) pending.delete(key);
    }
    pending.set(state, login);
  }

  async function passOf(issuer: Issuer, form: Record<string, string>): Promise<Omit<LoggedIn, 'to'> | string> {
    const tokens = await askForTokens(issuer, form, issuers);
    if (typeof tokens === 'string') return tokens;
    const verdict = await issuers.verify(tokens.access_token);
    if ('refusal' in verdict) return `${verdict.refusal.message} ${verdict.refusal.hint}`;
    return { pass: verdict.pass, renew: renewalOf(issuer, tokens.refresh_token) };
  }

  function renewalOf(issuer: Issuer, token: string | undefined): Renew | undefined {
    if (token === undefined) return undefined;
    return async () => {
      const renewed = await passOf(issuer, { grant_type: 'refresh_token', refresh_token: token });
      if (typeof renewed === 'string') return undefined;
      // An issuer that gives no new one leaves the former good (RFC 6749, section 6).
      return { pass: renewed.pass, renew: renewed.renew ?? renewalOf(issuer, token) };
    };
  }

  return {
    offered,

    async begin(name, { to, redirectUri }) {
      const issuer = offered.find((one) => one.name === name);
      if (!issuer?.client) return undefined;
      try {
        const { authorization } = await issuers.endpoints(issuer);
        const [state, browser, verifier] = [secret(), secret(), secret()];
        keep(state, { issuer, browser, verifier, redirectUri, to, endsAt: now() + loginMs });
        const address = new URL(authorization);
        const asked = {
          response_type: 'code',
          client_id: issuer.client.id,
          redirect_uri: redirectUri,
          scope: issuer.scopes.join(' '),
          state,
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
          ...resourceOf(issuer),
        };
        for (const [key, value] of Object.entries(asked)) address.searchParams.set(key, value);
        return { address, browser };
      } catch (error) {
        if (!(error instanceof KeysUnavailable)) throw error;
        return `${issuer.name} cannot be reached: ${error.message}. Try again, or sign in with a token of this server.`;
      }
    },

    async finish(answer, browser) {
      const state = answer.get('state') ?? '';
      const login = pending.get(state);
      if (!login || now() >= login.endsAt || browser !== login.browser) {
        return { problem: 'This login was not begun in this browser, or too long ago. Begin it again.', to: '/' };
      }
      pending.delete(state);
      const { issuer, verifier, redirectUri, to } = login;
      const code = answer.get('code');
      // RFC 9207: an issuer that names itself is the one that was asked.
      const isOther = answer.has('iss') && answer.get('iss') !== issuer.url;
      if (code === null || isOther) {
        const why = isOther ? 'another issuer has answered' : (answer.get('error') ?? 'it gave no code').slice(0, 100);
        return { problem: `${issuer.name} has not let you in (${why}). Begin again, or ask its administrator.`, to };
      }
      const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
      const found = await passOf(issuer, form);
      return typeof found === 'string' ? { problem: found, to } : { ...found, to };
    },
  };
}

const secret = () => randomBytes(32).toString('base64url');

/** For whom the token is to be (RFC 8707), where the audience is an address, which it must be there. */
function resourceOf({ audiences }: Issuer): { resource?: string } {
  const resource = audiences.find((audience) => /^https?:/.test(audience));
  return resource === undefined ? {} : { resource };
}

/** Tokens of the issuer, or a text that says why there are none. */
async function askForTokens(issuer: Issuer, form: Record<string, string>, issuers: Issuers): Promise<Tokens | string> {
  const { id = '', secret } = issuer.client ?? {};
  const failed = (why: string) => `${issuer.name} has given no token: ${why}. Begin again, or ask its administrator.`;
  try {
    const { token } = await issuers.endpoints(issuer);
    const response = await oauthFetch(token, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({
        ...form,
        client_id: id,
        ...(secret === undefined ? {} : { client_secret: secret }),
        ...resourceOf(issuer),
      }),
    });
    if (!response.ok)
      return failed(`${response.status} ${(await response.text()).replaceAll(/\s+/g, ' ').slice(0, 200)}`);
    const parsed = tokenAnswer.safeParse(JSON.parse(await response.text()));
    return parsed.success ? parsed.data : failed('its answer has none');
  } catch (error) {
    return failed(error instanceof KeysUnavailable ? error.message : whyOf(error));
  }
}
