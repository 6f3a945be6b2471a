/** Full jitter over an exponential ceiling (Brooker, AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export interface Backoff {
  baseMs: number;
  capMs: number;
}

/** Milliseconds to wait after `attempt` (1-based) failed. A server's own retry-after wins when it is longer. */
export function retryDelayMs(backoff: Backoff, attempt: number, random: () => number, retryAfterMs = 0): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** attempt);
  return Math.max(Math.round(random() * ceiling), retryAfterMs);
}

/**
 * How long a server asks us to wait, in milliseconds: `retry-after-ms`, else `retry-after` in seconds or as an HTTP date
 * (RFC 9110, 10.2.3). Undefined when it does not say, or says something else.
 */
export function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | undefined {
  const exact = parseNumber(headers?.get('retry-after-ms'));
  if (exact !== undefined) return Math.round(exact);
  const text = headers?.get('retry-after');
  const seconds = parseNumber(text);
  if (seconds !== undefined) return Math.round(seconds * 1000);
  const date = Date.parse(text ?? '');
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function parseNumber(text: string | null | undefined): number | undefined {
  return text && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}
