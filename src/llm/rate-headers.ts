import { retryAfterMs } from '../base/backoff.js';
import type { RateLeft, RateReport } from '../core/ports.js';

/**
 * What the headers of an answer say of the limits of a vendor; undefined when nothing.
 * `anthropic-ratelimit-{requests,tokens}-{remaining,reset}` (platform.claude.com, rate limits) and
 * `x-ratelimit-{remaining,reset}-{requests,tokens}` (platform.openai.com, rate limits); `retry-after` where the answer is
 * a refusal for the rate.
 *
 * @param now milliseconds since 1970, for times that are given as dates
 */
export function readRateHeaders(headers: Headers, status: number, now = Date.now()): RateReport | undefined {
  const left = (kinds: readonly string[]) => kinds.map((kind) => leftOf(headers, kind, now)).find(Boolean);
  const requests = left(['requests']);
  const tokens = left(['tokens', 'input-tokens']);
  const wait = status === 429 ? retryAfterMs(headers, now) : undefined;
  if (!requests && !tokens && wait === undefined) return undefined;
  return { requests, tokens, retryAfterMs: wait };
}

function leftOf(headers: Headers, kind: string, now: number): RateLeft | undefined {
  const anthropic = `anthropic-ratelimit-${kind}`;
  return (
    parse(headers.get(`${anthropic}-remaining`), headers.get(`${anthropic}-reset`), now) ??
    parse(headers.get(`x-ratelimit-remaining-${kind}`), headers.get(`x-ratelimit-reset-${kind}`), now)
  );
}

function parse(remaining: string | null, reset: string | null, now: number): RateLeft | undefined {
  const resetMs = reset === null ? undefined : (durationMs(reset) ?? untilMs(reset, now));
  if (remaining === null || !/^\d+$/.test(remaining.trim()) || resetMs === undefined) return undefined;
  return { left: Number(remaining), resetMs };
}

/** A duration as Go writes it: `6m0s`, `1.2s`, `12ms`; a bare number is seconds. */
function durationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) > 1e9 ? undefined : Math.ceil(Number(trimmed) * 1000);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined;
  const parts = trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
  return Math.ceil([...parts].reduce((total, [, count, unit]) => total + Number(count) * (unitMs[unit ?? ''] ?? 0), 0));
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function untilMs(text: string, now: number): number | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
