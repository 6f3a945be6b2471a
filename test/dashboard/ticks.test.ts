import { expect, it } from 'vitest';
import { niceEnds, ticks } from '../../src/dashboard/ui/ticks.js';

it('are round numbers between two values', () => {
  expect(ticks(0, 1, 4)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(0.01, 0.034, 4)).toEqual([0.01, 0.015, 0.02, 0.025, 0.03]);
  expect(ticks(1, 1_000, 5)).toEqual([200, 400, 600, 800, 1_000]);
  expect(ticks(-3, 3, 6)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
  expect(ticks(5, 5, 4)).toEqual([5]);
});

it('reach from at or below the lowest to at or above the highest value', () => {
  expect(niceEnds(0.3, 9.7, 4)).toEqual([0, 10]);
  expect(niceEnds(0, 17_500, 4)).toEqual([0, 20_000]);
  expect(niceEnds(0.012, 0.048, 4)).toEqual([0.01, 0.05]);
  expect(niceEnds(-0.2, 0.7, 4)).toEqual([-0.2, 0.8]);
});
