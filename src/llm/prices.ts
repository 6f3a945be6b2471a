import type { Micros } from '../base/money.js';
import type { ModelUsage } from '../core/ports.js';

/** US dollars for a million tokens, which are millionths of a dollar for one. */
export interface Price {
  input: number;
  output: number;
  /** That of `input` unless given. */
  cacheWrite?: number | undefined;
  cacheRead?: number | undefined;
  /** It holds for prompts of at most so many tokens; longer ones have no known price. */
  upTo?: number | undefined;
  /** It holds until the end of this day, such as `2026-12-31`. */
  until?: string | undefined;
}

/**
 * What a million tokens cost, by the provider that has them and the id of the model. A `*` stands for any text; the date
 * at the end of an id is left out. The first that matches and is still valid counts. Standard tier, without batch and
 * region. From the vendors' own price lists, read at `pricesAsOf`; a model whose price nobody could confirm is missing.
 */
export const pricesAsOf = '2026-11-22';

const claude = (input: number, output: number, more: Partial<Price> = {}): Price => {
  // Written for five minutes, which is what the API does unless asked for an hour.
  return { input, output, cacheWrite: input * 1.25, cacheRead: input / 10, ...more };
};
/** Longer prompts have a price of their own. */
const gpt = (input: number, output: number, cacheRead: number, more: Partial<Price> = {}): Price => {
  return { input, output, cacheRead, upTo: 272_000, ...more };
};
const flat = (input: number, output: number, cacheRead?: number): Price => ({ input, output, cacheRead });

export const knownPrices: Readonly<Record<string, readonly (readonly [model: string, price: Price | undefined])[]>> = {
  anthropic: [
    ['claude-fable-5-1', claude(10, 50)],
    ['claude-fable-5', claude(10, 50)],
    ['claude-opus-5-5', claude(4, 20, { cacheRead: 0.2 })],
    ['claude-opus-5', claude(5, 25)],
    ['claude-opus-4-[5-8]', claude(5, 25)],
    ['claude-sonnet-5-5', claude(2, 10)],
    ['claude-sonnet-5', claude(2, 10)],
    ['claude-sonnet-4-[56]', claude(3, 15)],
    ['claude-haiku-5-5', claude(0.1, 0.5, { upTo: 100_000 })],
    ['claude-haiku-4-5', claude(1, 5)],
  ],
  google: [
    ['gemini-3.[78]-flash', { input: 0.75, output: 3.75, until: '2026-12-31' }],
    ['gemini-3.5-flash', flat(1.5, 9)],
    ['gemini-3.1-pro-preview', { input: 2, output: 12, upTo: 200_000 }],
    ['gemini-3.1-flash-lite', flat(0.25, 1.5)],
    ['gemini-3-flash-preview', flat(0.5, 3)],
  ],
  openai: [
    ['gpt-6.1-sol', gpt(2, 10, 0.1)],
    ['gpt-6.1-terra', gpt(1, 5, 0.05, { cacheWrite: 1.25 })],
    ['gpt-6-sol', gpt(2, 10, 0.2, { cacheWrite: 2.5 })],
    ['gpt-6-luna', gpt(0.1, 0.5, 0.01, { cacheWrite: 0.125 })],
    ['gpt-5.6-sol', gpt(5, 30, 0.5)],
    ['gpt-5.6-terra', gpt(2, 12, 0.2)],
    ['gpt-5.6-luna', gpt(0.2, 1.2, 0.02)],
    ['gpt-5.4', gpt(2.5, 15, 0.25)],
    ['gpt-5.4-mini', flat(0.75, 4.5, 0.075)],
    ['gpt-5.4-nano', flat(0.2, 1.25, 0.02)],
    ['gpt-5.2', flat(1.75, 14, 0.175)],
    ['gpt-5.1', flat(1.25, 10, 0.125)],
    ['gpt-5', flat(1.25, 10, 0.125)],
    ['gpt-5-mini', flat(0.25, 2, 0.025)],
    ['gpt-5-nano', flat(0.05, 0.4, 0.005)],
    ['gpt-4.1', flat(2, 8, 0.5)],
    ['gpt-4.1-mini', flat(0.4, 1.6, 0.1)],
    ['gpt-4.1-nano', flat(0.1, 0.4, 0.025)],
    ['gpt-4o', flat(2.5, 10, 1.25)],
    ['gpt-4o-mini', flat(0.15, 0.6, 0.075)],
    ['o3', flat(2, 8, 0.5)],
    ['o4-mini', flat(1.1, 4.4, 0.275)],
  ],
  // On the user's own machine. What Ollama runs elsewhere is marked in its name, and has no price here.
  ollama: [
    ['*cloud', undefined],
    ['*', flat(0, 0)],
  ],
};

/**
 * The price of a model: from the user's own table, by `PROVIDER:MODEL` or `MODEL`, else from the known ones. Undefined
 * where it is unknown, which is not the same as free.
 *
 * @param owner whose models a provider serves, where they are another's
 * @param now milliseconds, for prices that end
 */
export function priceOf(
  { provider, owner, model }: { provider: string; owner?: string | undefined; model: string },
  own: Readonly<Record<string, Price>>,
  now: number,
): Price | undefined {
  const id = withoutDate(model);
  const names = [`${provider}:${model}`, `${provider}:${id}`, model, id];
  const isFor = (pattern: string) => names.some((name) => toPattern(pattern).test(name));
  const chosen = Object.entries(own).find(([pattern, price]) => isFor(pattern) && isValid(price, now));
  if (chosen) return chosen[1];
  const [, known] = knownPrices[owner ?? provider]?.find(([pattern]) => toPattern(pattern).test(id)) ?? [];
  return known && isValid(known, now) ? known : undefined;
}

const withoutDate = (model: string): string => model.replace(/(?:-\d{8}|-\d{4}-\d{2}-\d{2}|@\d{8}|-latest)$/, '');

const isValid = ({ until }: Price, now: number): boolean =>
  until === undefined || now < Date.parse(until) + 24 * 3_600_000;

/** `*` stands for any text, `[5-8]` for one of these; all else for itself. */
function toPattern(text: string): RegExp {
  const escaped = text.replace(/[.+^${}()|\\?]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`, 'i');
}

/** What a call costs by its price, rounded up; undefined for one that the price does not cover. */
export function costByPrice(price: Price | undefined, usage: ModelUsage): Micros | undefined {
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = usage;
  if (!price || usage.isUnknown || inputTokens > (price.upTo ?? Number.POSITIVE_INFINITY)) return undefined;
  const plain = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  const micros =
    plain * price.input +
    cacheReadTokens * (price.cacheRead ?? price.input) +
    cacheWriteTokens * (price.cacheWrite ?? price.input) +
    outputTokens * price.output;
  return Math.ceil(Number(micros.toFixed(3)));
}
