import { RuntimeError } from '../../../base/errors.js';
import { retryAfterMs } from '../../../base/retry-after.js';
import type { NativeContext } from '../define-native-tool.js';
import { fetchText, type TextAnswer } from '../fetch-text.js';
import { userAgent } from '../user-agent.js';
import type { FoundPage, Search, SearchBackend } from './define-backend.js';

const timeoutMs = 10_000;
const maxBytes = 1_000_000;

/**
 * Asks one back end once: a search may cost money, so nobody but the caller repeats it.
 *
 * @throws RuntimeError `not_configured` (the key), `budget_exhausted`, `rate_limited`, `invalid`, `timeout`, `cancelled`,
 *   `unavailable`. No message holds a key, an address beyond its host, or the service's own words.
 */
export async function askBackend(
  backend: SearchBackend,
  search: Search,
  { settings, signal, clock }: NativeContext,
): Promise<FoundPage[]> {
  const { service } = backend;
  const { headers, ...request } = backend.request(search, settings);
  const answer = await fetchText(
    { service, ...request, headers: { accept: 'application/json', 'user-agent': userAgent(settings), ...headers } },
    { signal, timeoutMs, maxBytes },
  );
  if (answer.status !== 200) throw backend.explain?.(answer) ?? refused(backend, answer, clock.now());
  const pages = backend.pages(parse(backend, answer));
  if (pages === undefined) throw unreadable(backend, 'it is not made as its answers are');
  return pages;
}

function parse(backend: SearchBackend, { headers, text }: TextAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const type = headers.get('content-type') ?? '';
    throw unreadable(backend, /html/i.test(type) || /^\s*</.test(text) ? 'it is a web page' : 'it is not JSON', error);
  }
}

function unreadable({ service, setting }: SearchBackend, why: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `${service}'s answer cannot be used: ${why}.`,
    `Try again later. If that does not help, check that ${setting.replace('API_KEY', 'BASE_URL')} leads to ${service}.`,
    { cause },
  );
}

function refused({ service, setting }: SearchBackend, answer: TextAnswer, now: number): RuntimeError {
  const { status } = answer;
  if (status === 401 || status === 403) {
    return new RuntimeError(
      'not_configured',
      `${service} refused the API key (${status}).`,
      `Set ${setting} to a valid key.`,
    );
  }
  if (status === 402) {
    return new RuntimeError('budget_exhausted', `The credits of ${service} are used up (402).`, 'Add credit, or wait.');
  }
  if (status === 429) {
    const ms = retryAfterMs(answer.headers, now);
    const seconds = ms === undefined ? undefined : Math.max(1, Math.ceil(ms / 1000));
    return new RuntimeError(
      'rate_limited',
      `${service} limits the rate of searches (429).`,
      `Try again ${seconds === undefined ? 'later' : `in ${seconds} s`}.`,
      { retryAfterSeconds: seconds },
    );
  }
  if (status === 400 || status === 422) {
    return new RuntimeError('invalid', `${service} does not take the search (${status}).`, 'Change the query.');
  }
  return new RuntimeError('unavailable', `${service} could not serve the search (${status}).`, 'Try again later.');
}
