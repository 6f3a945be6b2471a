import { expect, it } from 'vitest';
import { thinProgress } from '../../../src/agents/ml-experiment/thin-progress.js';

function passed(epochs: number): number[] {
  const seen: number[] = [];
  const report = thinProgress(epochs, ({ epoch }) => seen.push(epoch));
  for (let epoch = 1; epoch <= epochs; epoch++) report({ epoch, batch: 8, batches: 8, loss: 1 });
  return seen;
}

it('up to a hundred epochs are all reported, beyond that a hundred of them and the last', () => {
  expect(passed(3)).toEqual([1, 2, 3]);
  expect(passed(100)).toHaveLength(100);
  expect(passed(1_050).slice(0, 2)).toEqual([11, 22]);
  expect(passed(1_050).at(-1)).toBe(1_050);
  expect(passed(10_000)).toHaveLength(100);
});

it('what happens within an epoch always passes', () => {
  let seen = 0;
  thinProgress(10_000, () => seen++)({ epoch: 1, batch: 3, batches: 8, loss: 1 });
  expect(seen).toBe(1);
});
