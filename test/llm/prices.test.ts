import { expect, it } from 'vitest';
import { dollars, microsOf, shownCost } from '../../src/base/money.js';
import { createModels } from '../../src/llm/index.js';
import { costByPrice, knownPrices, pricesAsOf } from '../../src/llm/prices.js';
import { providers } from '../../src/llm/providers.js';

const now = Date.parse('2026-11-22T12:00:00Z');
const priceOf = (provider: string, model: string, config = {}, at = now) =>
  createModels(config).price(provider, model, at);

it.each([
  ['anthropic', 'claude-sonnet-5-5', 2],
  ['anthropic', 'claude-sonnet-5-5-20260928', 2],
  ['anthropic', 'claude-opus-4-7', 5],
  ['claude-code', 'sonnet', 2],
  ['claude-code', 'claude-opus-5-5', 4],
  ['openai', 'gpt-5.4-mini-2026-03-17', 0.75],
  ['openai', 'gpt-5.4', 2.5],
  ['ollama', 'llama3.2:latest', 0],
])('%s has %s at $%d a million tokens', (provider, model, input) => {
  expect(priceOf(provider, model)?.input).toBe(input);
});

it.each([
  ['anthropic', 'claude-sonnet-6'],
  ['anthropic', 'claude-sonnet-5-5-mini'],
  ['openai', 'constructor'],
  ['ollama', 'gpt-oss:120b-cloud'],
  ['openrouter', 'gpt-5.4'],
  ['custom:mine', 'mine'],
])('%s has no known price of %s', (provider, model) => {
  expect(priceOf(provider, model)).toBeUndefined();
});

it('the table of the config file wins, by model or by provider, with patterns', () => {
  const prices = {
    'vllm:*': { input: 0, output: 0 },
    'claude-sonnet-5-5': { input: 1, output: 2 },
    'x.y+*': { input: 3, output: 3 },
  };
  expect(priceOf('vllm', 'Qwen/Qwen3-8B', { prices })).toMatchObject({ input: 0 });
  expect(priceOf('anthropic', 'claude-sonnet-5-5-20260928', { prices })).toMatchObject({ input: 1 });
  expect(priceOf('openai', 'x.y+1', { prices })).toMatchObject({ input: 3 });
  expect(priceOf('openai', 'xzy+1', { prices })).toBeUndefined();
});

it('a price that has ended is no price', () => {
  const at = (day: string) => priceOf('google', 'gemini-3.8-flash', {}, Date.parse(day));
  expect(at('2026-12-31T23:59:59Z')).toBeDefined();
  expect(at('2027-01-01T00:00:00Z')).toBeUndefined();
});

it('a call costs its tokens, those of the cache at their own price, rounded up', () => {
  const price = { input: 2, output: 10, cacheWrite: 2.5, cacheRead: 0.2 };
  const usage = { inputTokens: 1_000, outputTokens: 100, cacheReadTokens: 800, cacheWriteTokens: 100 };
  expect(costByPrice(price, usage)).toBe(100 * 2 + 800 * 0.2 + 100 * 2.5 + 100 * 10);
  expect(costByPrice({ input: 0.1, output: 0.5 }, { inputTokens: 1, outputTokens: 0 })).toBe(1);
  expect(costByPrice({ input: 3, output: 0 }, usage)).toBe(3_000);
});

it('what the price does not cover has no cost, which is not 0', () => {
  expect(costByPrice(undefined, { inputTokens: 1, outputTokens: 1 })).toBeUndefined();
  expect(costByPrice({ input: 1, output: 1, upTo: 10 }, { inputTokens: 11, outputTokens: 1 })).toBeUndefined();
  const free = { input: 0, output: 0 };
  expect(costByPrice(free, { inputTokens: 0, outputTokens: 0, isUnknown: true })).toBeUndefined();
  expect(shownCost({ micros: 0, unpriced: 1 })).toBeNull();
  expect(shownCost({ micros: 0, unpriced: 0 })).toBe(0);
  expect(shownCost({ micros: 1_500_000, unpriced: 1 })).toBe(1.5);
});

it('dollars become whole millionths and back', () => {
  expect([0.1, 0.000001, 0.0000001, 1.1, 999_999.999999].map(microsOf)).toEqual([
    100_000, 1, 1, 1_100_000, 999_999_999_999,
  ]);
  expect([0, 4_200, 30_000, 1_500_000, 1].map(dollars)).toEqual(['$0.00', '$0.0042', '$0.0300', '$1.50', '$0.000001']);
});

it('the table is dated, and its default models are in it', () => {
  expect(Date.parse(pricesAsOf)).not.toBeNaN();
  for (const id of ['anthropic', 'google', 'openai']) {
    const provider = providers.find((one) => one.id === id);
    expect(priceOf(id, provider?.defaultModel ?? '')).toBeDefined();
    for (const [, price] of knownPrices[id] ?? []) expect(price?.output).toBeGreaterThan(price?.input ?? 0);
  }
});
