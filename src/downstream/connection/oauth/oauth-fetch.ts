import { messageOf } from '../../../base/errors.js';
import { systemCode } from '../../../base/network-error.js';
import { timeoutSignal } from '../../../base/timeout-signal.js';
import { limitedFetch } from '../limited-fetch.js';

const limitBytes = 1024 * 1024;
const timeoutMs = 10_000;

/**
 * `fetch` for requests to an authorization server, each within 10 s. The SDK follows redirects within an origin alone.
 * Throws for an address that would send keys over the network in the clear.
 */
export const oauthFetch: typeof fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  requireSecure(url);
  const timeout = timeoutSignal(timeoutMs);
  const signal = init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  return limitedFetch(limitBytes)(input, { ...init, signal });
};

/** Throws unless it is https, or goes to this machine (OAuth 2.1, section 1.5). */
export function requireSecure(url: URL): void {
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) return;
  throw new Error(`${url.origin} is not an https address`);
}

/** Why a request to an authorization server failed, in one line; its own words are cut short. */
export function whyOf(error: unknown): string {
  const code = systemCode(error);
  if (code !== undefined) return `it could not be reached (${code})`;
  // What `fetch` says itself is no reason.
  const reason = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
  return messageOf(reason).replaceAll(/\s+/g, ' ').slice(0, 300);
}
