import { expect, it } from 'vitest';
import { readRateHeaders } from '../../src/llm/rate-headers.js';

const now = Date.UTC(2026, 10, 20, 12);

it.each<[string, Record<string, string>, number, ReturnType<typeof readRateHeaders>]>([
  [
    'Anthropic',
    {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:01Z',
      'anthropic-ratelimit-tokens-remaining': '39000',
      'anthropic-ratelimit-tokens-reset': '2026-11-20T11:59:59Z',
    },
    200,
    { requests: { left: 0, resetMs: 1_000 }, tokens: { left: 39_000, resetMs: 0 }, retryAfterMs: undefined },
  ],
  [
    'OpenAI',
    {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1.2s',
      'x-ratelimit-remaining-tokens': '149984',
      'x-ratelimit-reset-tokens': '6m0s',
    },
    200,
    { requests: { left: 59, resetMs: 1_200 }, tokens: { left: 149_984, resetMs: 360_000 }, retryAfterMs: undefined },
  ],
  ['a refusal', { 'retry-after': '7' }, 429, { requests: undefined, tokens: undefined, retryAfterMs: 7_000 }],
  ['an overload', { 'retry-after': '7' }, 529, undefined],
  ['nothing', { 'content-type': 'application/json' }, 200, undefined],
  ['no reset', { 'x-ratelimit-remaining-requests': '0' }, 200, undefined],
  ['no number', { 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-reset-requests': '1s' }, 200, undefined],
  ['no duration', { 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': 'soon' }, 200, undefined],
  [
    'a time as a number',
    { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1795176000' },
    200,
    undefined,
  ],
])('the headers of an answer say what is left of the limits: %s', (_, headers, status, expected) => {
  expect(readRateHeaders(new Headers(headers), status, now)).toEqual(expected);
});
