import { retryAfterMs } from '../../../base/backoff.js';
import type { EpochMs } from '../../../base/clock.js';
import { RuntimeError } from '../../../base/errors.js';
import { timeoutSignal } from '../../../base/timeout-signal.js';
import type { NativeContext } from '../define-native-tool.js';
import { fetchText, interruption, type TextAnswer, type TextRequest, userAgent } from '../fetch-text.js';
import { RateLimiter } from '../rate-limiter.js';

/** One request every three seconds, one at a time (arXiv API Terms of Use), with 100 ms to spare for the network. */
const gapMs = 3_100;
const requestMs = 20_000;

/** A call ends within this time, waiting included; clients give up after 60 s. */
const patienceMs = 45_000;
/** A request starts only if so much of that time is left. */
const leastRequestMs = 10_000;

/** arXiv answers 429 even to clients that keep to its rate; mostly this passes. */
const retryWaitsMs = [3_000, 9_000] as const;
/** The pause after the last try, unless arXiv names one. */
const lastWaitMs = 27_000;
/** A longer `retry-after` is cut to this. */
const longestWaitMs = 600_000;

const maxBytes = 5_000_000;

/**
 * Asks the arXiv API when it is this process's turn, up to three times if arXiv limits the rate.
 *
 * @returns the Atom feed, which may be a feed that describes an error
 * @throws RuntimeError `rate_limited` (by arXiv, or because our own queue is full), `timeout`, `cancelled`, `unavailable`
 */
export async function requestFeed(params: URLSearchParams, context: NativeContext): Promise<string> {
  const { signal } = context;
  const request = apiRequest(params, context);
  const limiter = new RateLimiter({ service: 'arXiv', gapMs, turnMs: requestMs + 1_000 }, context);
  const deadline = performance.now() + patienceMs;
  const limit = timeoutSignal(patienceMs);
  const either = AbortSignal.any([signal, limit]);
  const msToStart = () => deadline - performance.now() - leastRequestMs;

  for (let attempt = 0; ; attempt++) {
    const answer = await limiter
      .run(Math.max(0, msToStart()), either, () =>
        fetchText(request, { signal: either, timeoutMs: requestMs, maxBytes }),
      )
      .catch((error: unknown) => {
        throw signal.aborted ? interruption(signal) : limit.aborted ? outOfTime(error) : error;
      });
    if (!isLimited(answer)) return feedOf(answer);
    const retryMs = retryWaitsMs[attempt];
    const pauseMs = pauseAfter(answer, retryMs, context.clock.now());
    // The limiter does the waiting, so that it holds for every process of this machine: arXiv counts them as one.
    await limiter.pause(pauseMs);
    if (retryMs === undefined || pauseMs > msToStart()) throw rateLimited(pauseMs);
  }
}

function apiRequest(params: URLSearchParams, { settings }: NativeContext): TextRequest {
  const base = settings.arxivBaseUrl.href.replace(/\/+$/, '');
  return {
    service: 'arXiv',
    setting: 'ARXIV_BASE_URL',
    url: new URL(`${base}/api/query?${params}`),
    headers: { 'user-agent': userAgent(settings), accept: 'application/atom+xml' },
  };
}

function isLimited({ status, headers, text }: TextAnswer): boolean {
  return (
    status === 429 ||
    (status === 503 && headers.has('retry-after')) ||
    text.slice(0, 100).trim().toLowerCase() === 'rate exceeded.'
  );
}

/** arXiv's own `retry-after` or our wait before the next try, whichever is longer. */
function pauseAfter({ headers }: TextAnswer, retryMs: number | undefined, now: EpochMs): number {
  const asked = retryAfterMs(headers, now);
  const own = retryMs ?? (asked === undefined ? lastWaitMs : 0);
  return Math.min(Math.max(asked ?? 0, own), longestWaitMs);
}

/** arXiv answers a query it cannot read with a 400 and a feed that says why. */
function feedOf({ status, text }: TextAnswer): string {
  if (status === 200 || (status === 400 && text.includes('<feed'))) return text;
  throw new RuntimeError(
    'unavailable',
    `arXiv could not serve the search (${status}).`,
    'Try again later. If ARXIV_BASE_URL is set, check that it is the address of the arXiv API.',
  );
}

function rateLimited(pauseMs: number): RuntimeError {
  const seconds = Math.max(1, Math.ceil(pauseMs / 1000));
  return new RuntimeError('rate_limited', 'arXiv limits the rate of searches (429).', `Try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
  });
}

function outOfTime(cause: unknown): RuntimeError {
  return new RuntimeError(
    'timeout',
    `arXiv did not answer within ${patienceMs / 1000} s, the time in the queue included.`,
    'Try again later.',
    { cause },
  );
}
