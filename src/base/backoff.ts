/** Full jitter over an exponential ceiling (Brooker, AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export interface Backoff {
  baseMs: number;
  capMs: number;
}

/**
 * How long to wait before try `attempt + 1`, after `attempt` (1-based) failed.
 * A server's own retry-after wins when it is longer.
 */
export function retryDelayMs(backoff: Backoff, attempt: number, random: () => number, retryAfterMs = 0): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** attempt);
  return Math.max(Math.round(random() * ceiling), retryAfterMs);
}
