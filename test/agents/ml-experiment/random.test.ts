import { expect, it } from 'vitest';
import { createNetwork } from '../../../src/agents/ml-experiment/network.js';
import { createRandom, rangeOf, shuffle } from '../../../src/agents/ml-experiment/random.js';

it('is s = (1664525 s + 1013904223) mod 2^32, as any language can repeat it', () => {
  const random = createRandom(42);
  let state = 42n;
  for (let draw = 0; draw < 1_000; draw++) {
    state = (state * 1_664_525n + 1_013_904_223n) % 2n ** 32n;
    expect(random()).toBe(Number(state) / 2 ** 32);
  }
  expect(createRandom(0)()).toBe(1_013_904_223 / 2 ** 32);
});

it('a shuffle keeps every item', () => {
  const items = rangeOf(1_000);
  shuffle(items, createRandom(1));
  expect(items).not.toEqual(rangeOf(1_000));
  expect(items.toSorted()).toEqual(rangeOf(1_000));
});

it('first weights are those of He before a ReLU (variance 2 / inputs), 1 / inputs otherwise; biases are zero', () => {
  const shape = { inputs: 200, hidden: 300, classes: 100, precision: 'double', capacity: 1 } as const;
  const { layers } = createNetwork(shape, createRandom(42));
  const variances = layers.map(
    ({ weights }) => Array.from(weights).reduce((sum, weight) => sum + weight ** 2, 0) / weights.length,
  );
  expect((variances[0] ?? 0) * 200).toBeCloseTo(2, 1);
  expect((variances[1] ?? 0) * 300).toBeCloseTo(1, 1);
  for (const { biases } of layers) expect(Array.from(biases).every((bias) => bias === 0)).toBe(true);
});
