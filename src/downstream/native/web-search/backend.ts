import { retryAfterMs } from '../../../base/backoff.js';
import type { EpochMs } from '../../../base/clock.js';
import { RuntimeError } from '../../../base/errors.js';
import type { NativeSettings, SearchBackendId } from '../../../base/native-settings.js';
import type { SettingName } from '../../../base/settings.js';
import type { NativeContext } from '../define-native-tool.js';
import { fetchText, type TextAnswer, type TextRequest, userAgent } from '../fetch-text.js';

/** One page that was found, in the service's words. Markup and control characters are removed later. */
export interface FoundPage {
  title: string;
  url: string;
  snippet: string;
  published?: string | undefined;
  /** The engine that found it, where that is not the back end itself. */
  source?: string | undefined;
}

export interface Search {
  query: string;
  /** 1 to 20. */
  count: number;
}

/** A service that searches the web: how to ask it, and how to read its answers. */
export interface SearchBackend {
  id: SearchBackendId;
  /** Its name in messages. */
  service: string;
  /** The setting that enables it. */
  setting: SettingName;
  /** One line for a user who has not set it up: which setting, and where to get its value. */
  advice: string;
  isConfigured(settings: NativeSettings): boolean;
  request(search: Search, settings: NativeSettings): Pick<TextRequest, 'url' | 'headers' | 'body' | 'setting'>;
  /** Reads the parsed JSON of an answer. Undefined if it has another shape; throws RuntimeError for a failed search. */
  pages(body: unknown): FoundPage[] | undefined;
  /** The error for an answer other than 200 that means something particular with this service. */
  explain?(answer: TextAnswer): RuntimeError | undefined;
}

const timeoutMs = 10_000;
const maxBytes = 1_000_000;

/**
 * Asks a back end once: a search may cost money, so it is never repeated unasked.
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
  if (pages === undefined) throw unreadable(backend, 'it has an unknown shape');
  return pages;
}

/** The address of an endpoint under a base that may have a path of its own. */
export function endpoint(base: URL, path: string, params: Record<string, string> = {}): URL {
  const url = new URL(base.href.replace(/\/+$/, '') + path);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url;
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

function refused({ service, setting }: SearchBackend, answer: TextAnswer, now: EpochMs): RuntimeError {
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
    return new RuntimeError('invalid', `${service} did not accept the search (${status}).`, 'Change the query.');
  }
  return new RuntimeError('unavailable', `${service} could not serve the search (${status}).`, 'Try again later.');
}
