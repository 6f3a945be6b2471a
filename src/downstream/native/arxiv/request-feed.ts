import { RuntimeError } from '../../../base/errors.js';
import { retryAfterMs } from '../../../base/retry-after.js';
import type { NativeContext } from '../define-native-tool.js';
import { fetchText, type TextAnswer } from '../fetch-text.js';
import { interruption } from '../interruption.js';
import { createLine, type Line } from '../line.js';
import { userAgent } from '../user-agent.js';

/** One request every three seconds, one at a time (arXiv API Terms of Use), and a little more for the way there. */
const gapMs = 3_100;
const requestMs = 20_000;

/** A call with all its waiting ends within this; clients give up after 60 s. */
const patienceMs = 45_000;
/** What of that is left for a request whose turn comes last. */
const leastRequestMs = 10_000;

/** arXiv answers 429 to many who keep to its pace; it mostly passes. */
const retryWaitsMs = [3_000, 9_000] as const;
/** How long to leave it alone where it does not say. */
const lastWaitMs = 27_000;

const maxBytes = 5_000_000;

/**
 * Asks the arXiv API when this machine's turn has come, up to three times if it limits the rate.
 *
 * @returns the Atom feed, which may be one that tells of an error
 * @throws RuntimeError `rate_limited` (arXiv, or the line before it), `timeout`, `cancelled`, `unavailable`
 */
export async function requestFeed(params: URLSearchParams, context: NativeContext): Promise<string> {
  const { settings, signal } = context;
  const base = settings.arxivBaseUrl.href.replace(/\/+$/, '');
  const request = {
    service: 'arXiv',
    setting: 'ARXIV_BASE_URL',
    url: new URL(`${base}/api/query?${params}`),
    headers: { 'user-agent': userAgent(settings), accept: 'application/atom+xml' },
  } as const;
  const line = createLine({ service: 'arXiv', gapMs, turnMs: requestMs + 1_000 }, context);
  const startedAt = performance.now();
  const limit = AbortSignal.timeout(patienceMs);
  const either = AbortSignal.any([signal, limit]);

  for (let attempt = 0; ; attempt++) {
    const left = startedAt + patienceMs - performance.now();
    const answer = await patiently(() =>
      line.take(Math.max(0, left - leastRequestMs), either, () =>
        fetchText(request, { signal: either, timeoutMs: requestMs, maxBytes }),
      ),
    );
    if (!isLimited(answer)) return feedOf(answer);
    await holdBack(line, answer, retryWaitsMs[attempt]);
  }

  async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw interruption(signal);
      if (!limit.aborted) throw error;
      throw new RuntimeError(
        'timeout',
        `arXiv did not answer within ${patienceMs / 1000} s, waiting for our turn included.`,
        'Try again later.',
        { cause: error },
      );
    }
  }

  /** Waiting is done in the line, where it holds back every process of this machine: arXiv counts them as one. */
  async function holdBack(line: Line, answer: TextAnswer, waitMs: number | undefined): Promise<void> {
    const asked = retryAfterMs(answer.headers, context.clock.now());
    const ms = Math.min(Math.max(asked ?? 0, waitMs ?? (asked === undefined ? lastWaitMs : 0)), longestWaitMs);
    await line.holdBack(ms);
    const left = startedAt + patienceMs - performance.now();
    if (waitMs !== undefined && ms <= left - leastRequestMs) return;
    const seconds = Math.max(1, Math.ceil(ms / 1000));
    throw new RuntimeError('rate_limited', 'arXiv limits the rate of searches (429).', `Try again in ${seconds} s.`, {
      retryAfterSeconds: seconds,
    });
  }
}

/** A header that asks for more is not believed. */
const longestWaitMs = 600_000;

function isLimited({ status, headers, text }: TextAnswer): boolean {
  return (
    status === 429 ||
    (status === 503 && headers.has('retry-after')) ||
    text.slice(0, 100).trim().toLowerCase() === 'rate exceeded.'
  );
}

/** A query that is wrong is a 400 with a feed that says why. */
function feedOf({ status, text }: TextAnswer): string {
  if (status === 200 || (status === 400 && text.includes('<feed'))) return text;
  throw new RuntimeError(
    'unavailable',
    `arXiv could not serve the search (${status}).`,
    'Try again later. If ARXIV_BASE_URL is set, check that it is the address of the arXiv API.',
  );
}
