import { expect, it } from 'vitest';
import { testCointegration } from '../../../src/agents/backtest/cointegration.js';
import { randomWalk } from './random-walk.js';

function marketOf(a: readonly number[], b: readonly number[]) {
  return {
    dates: a.map((_, i) => String(i)),
    legs: [a, b].map((close, i) => ({ ticker: String(i), open: [...close], close: [...close] })),
  };
}

const closes = (seed: number, bars: number, follow?: ReturnType<typeof randomWalk>) =>
  randomWalk(seed, bars, follow).map((bar) => bar.close);

it.each([3, 4, 5])('equals the two regressions done step by step (seed %i)', (seed) => {
  const [a, b] = [closes(seed, 200), closes(seed + 10, 200)];
  const [first, last] = [20, 180];
  const y = a.slice(first, last + 1).map(Math.log);
  const x = b.slice(first, last + 1).map(Math.log);
  const n = y.length;
  const total = (values: number[]) => values.reduce((p, q) => p + q, 0);
  const beta =
    (total(x.map((v, i) => v * (y[i] ?? 0))) - (total(x) * total(y)) / n) /
    (total(x.map((v) => v * v)) - total(x) ** 2 / n);
  const alpha = total(y) / n - (beta * total(x)) / n;
  const u = y.map((v, i) => v - alpha - beta * (x[i] ?? 0));
  const du = u.slice(1).map((v, i) => v - (u[i] ?? 0));
  const squares = total(u.slice(0, -1).map((v) => v * v));
  const rho = total(du.map((d, i) => d * (u[i] ?? 0))) / squares;
  const s2 = total(du.map((d, i) => (d - rho * (u[i] ?? 0)) ** 2)) / (du.length - 1);
  const result = testCointegration(marketOf(a, b), { first, last });
  expect(result?.observations).toBe(160);
  expect(result?.beta).toBeCloseTo(beta, 9);
  expect(result?.alpha).toBeCloseTo(alpha, 8);
  expect(result?.rho).toBeCloseTo(rho, 9);
  expect(result?.t_statistic).toBeCloseTo(rho / Math.sqrt(s2 / squares), 8);
  expect(result?.critical_value_5_percent).toBe(-3.33613 - 6.1101 / 160 - 6.823 / 160 ** 2);
});

it('tells a mean-reverting pair from two independent random walks', () => {
  const leader = randomWalk(1, 500);
  const close = leader.map((bar) => bar.close);
  const range = { first: 0, last: 499 };
  expect(testCointegration(marketOf(closes(2, 500, leader), close), range)?.is_cointegrated).toBe(true);
  expect(testCointegration(marketOf(closes(2, 500), close), range)?.is_cointegrated).toBe(false);
});

it('is null without a spread to test', () => {
  const walk = closes(1, 50);
  const range = { first: 0, last: 49 };
  expect(testCointegration(marketOf(walk, walk), range)).toBeNull();
  expect(
    testCointegration(
      marketOf(
        walk,
        walk.map(() => 5),
      ),
      range,
    ),
  ).toBeNull();
  expect(
    testCointegration(
      marketOf(
        walk.map(() => 5),
        walk,
      ),
      range,
    ),
  ).toBeNull();
  expect(testCointegration(marketOf(walk, closes(2, 50)), { first: 0, last: 2 })).toBeNull();
});
