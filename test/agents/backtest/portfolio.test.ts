import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureRelative } from '../../../src/agents/backtest/relative.js';
import { randomWalk } from './random-walk.js';
import { reference } from './reference.js';
import { type BacktestResult, createWorkspace, type Workspace } from './workspace.js';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await createWorkspace();
  for (const [ticker, seed] of [
    ['A', 1],
    ['B', 2],
    ['C', 3],
  ] as const) {
    await workspace.writePrices(ticker, walk(seed));
  }
});
afterAll(() => workspace.remove());

const walk = (seed: number) => randomWalk(seed, 260);
const range = { start_date: '2015-05-01', end_date: '2015-12-30' };
const common = { strategy: 'momentum', params: { lookback: 10, allow_short: true }, commission: 0.002, ...range };

const near = (actual: unknown, expected: number | null | undefined) => {
  expect(typeof actual).toBe('number');
  expect(Math.abs((actual as number) - (expected ?? Number.NaN))).toBeLessThan(
    1e-9 * Math.max(1, Math.abs(expected ?? 0)),
  );
};

describe('a portfolio', () => {
  it.each([
    ['of equal shares', undefined, [1 / 3, 1 / 3, 1 / 3]],
    ['of weights', [0.5, 0.2, 0.3], [0.5, 0.2, 0.3]],
  ])('%s is the sum of what the reference makes of each share', async (_, weights, shares) => {
    const result = await workspace.run({ ...common, tickers: ['A', 'B', 'C'], ...(weights ? { weights } : {}) });
    const parts = shares.map((share, place) =>
      reference({
        strategy: 'momentum',
        a: walk(place + 1),
        start: range.start_date,
        end: range.end_date,
        capital: 100_000 * share,
        commission: 0.002,
        lookback: 10,
        allowShort: true,
      }),
    );
    expect(result.equity_curve.map(([date]) => date)).toEqual(parts[0]?.dates);
    for (const [bar, [, equity]] of result.equity_curve.entries()) {
      near(
        equity,
        parts.reduce((sum, part) => sum + (part?.equity[bar] ?? Number.NaN), 0),
      );
    }
    expect(result.trades).toBe(parts.reduce((sum, part) => sum + (part?.trades.length ?? 0), 0));
    const finals = parts.map((part) => part?.equity.at(-1) ?? Number.NaN);
    near(result.total_return, finals.reduce((sum, value) => sum + value, 0) / 100_000 - 1);
    const holdings = result.holdings as { ticker: string; weight: number; final_equity: number }[];
    expect(holdings.map(({ ticker, weight }) => [ticker, weight])).toEqual(
      ['A', 'B', 'C'].map((name, i) => [name, shares[i]]),
    );
    for (const [place, { final_equity }] of holdings.entries()) near(final_equity, finals[place]);
    const entries = result.trade_list.map(({ entry_date }) => entry_date);
    expect(entries).toEqual([...entries].sort());
  });

  it.each([
    [
      'weights that do not add up',
      { tickers: ['A', 'B'], weights: [0.5, 0.4] },
      'The weights add up to 0.9, not to 1.',
    ],
    ['too few weights', { tickers: ['A', 'B'], weights: [1] }, 'There are 1 weights for 2 tickers.'],
    ['one named twice', { tickers: ['A', 'A'] }, 'A is named twice.'],
    ['both kinds of name', { ticker: 'A', tickers: ['B'] }, 'Give ticker or tickers, not both.'],
    ['none', {}, 'Give ticker, or tickers for a portfolio.'],
    ['weights without tickers', { ticker: 'A', weights: [1] }, 'weights are for a portfolio'],
    [
      'a pair',
      { strategy: 'arbitrage', tickers: ['A', 'B'], params: {} },
      'a portfolio is for momentum and mean_reversion',
    ],
  ])('refuses %s', async (_, payload, words) => {
    await expect(workspace.run({ ...common, ...payload })).rejects.toThrow(words);
  });
});

describe('slippage', () => {
  it('makes every fill worse by its basis points, as the product over the trades says', async () => {
    const long = { ...common, ticker: 'A', params: { lookback: 10 } };
    const result = await workspace.run({ ...long, slippage_bps: 30 });
    const free = await workspace.run(long);
    const dates = ({ trade_list }: BacktestResult) =>
      trade_list.map(({ entry_date, exit_date }) => [entry_date, exit_date]);
    expect(dates(result)).toEqual(dates(free));
    expect(dates(result).length).toBeGreaterThan(3);
    const bars = new Map(walk(1).map((bar) => [bar.date, bar]));
    const [c, s] = [0.002, 0.003];
    let cash = 100_000;
    for (const [place, [entry = '', exit = '']] of dates(result).entries()) {
      const isLast =
        place === dates(result).length - 1 && exit === '2015-12-30' && result.equity_curve.at(-1)?.[0] === exit;
      const bought = (bars.get(entry)?.open ?? 0) * (1 + s);
      const sold = ((isLast ? bars.get(exit)?.close : bars.get(exit)?.open) ?? 0) * (1 - s);
      cash = (cash / (1 + c) / bought) * sold * (1 - c);
    }
    near(result.final_equity, cash);
    const fills = result.fills as { price: number; quantity: number; action: string; date: string; slippage: number }[];
    const paid = fills.reduce(
      (sum, { price, quantity, action }) => sum + quantity * price * (action === 'BUY' ? s / (1 + s) : s / (1 - s)),
      0,
    );
    near(result.slippage_paid, paid);
    expect([free.slippage_bps, free.slippage_paid]).toEqual([undefined, undefined]);
  });
});

describe('a benchmark ticker', () => {
  it('has alpha, beta and the information ratio of a regression done here another way', async () => {
    const result = await workspace.run({ ...common, ticker: 'A', benchmark_ticker: 'B' });
    const returns = (curve: [string, number][]) =>
      curve.map(([, value], bar) => value / (curve[bar - 1]?.[1] ?? 100_000) - 1);
    const [y, x] = [returns(result.equity_curve), returns(result.benchmark_curve)];
    const n = y.length;
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    // By raw sums instead of centred ones.
    const xy = sum(x.map((value, bar) => value * (y[bar] ?? 0)));
    const beta = (n * xy - sum(x) * sum(y)) / (n * sum(x.map((value) => value ** 2)) - sum(x) ** 2);
    const active = y.map((value, bar) => value - (x[bar] ?? 0));
    const deviation = Math.sqrt((sum(active.map((value) => value ** 2)) - sum(active) ** 2 / n) / (n - 1));
    const relative = result.relative as Record<string, number>;
    near(relative.beta, beta);
    near(relative.alpha, ((sum(y) - beta * sum(x)) / n) * 252);
    near(relative.tracking_error, deviation * Math.sqrt(252));
    near(relative.information_ratio, (sum(active) / n / deviation) * Math.sqrt(252));
    expect(relative.bars).toBe(n);
    const hold = await workspace.run({ ...common, ticker: 'B' });
    expect([result.benchmark, result.benchmark_ticker]).toEqual([hold.benchmark, 'B']);
  });

  it('that lacks days is compared on those that both have, with a warning; one that lacks all is refused', async () => {
    await workspace.writePrices(
      'GAPS',
      walk(4).filter((_, row) => row % 5 !== 0),
    );
    const result = await workspace.run({ ...common, ticker: 'A', benchmark_ticker: 'GAPS' });
    const missing = result.equity_curve.length - result.benchmark_curve.length;
    expect(missing).toBeGreaterThan(20);
    expect(result.warnings).toContain(
      `GAPS has no prices on ${missing} of the traded days; they are left out of the comparison.`,
    );
    await workspace.writePrices('OLD', walk(4).slice(0, 20));
    await expect(workspace.run({ ...common, ticker: 'A', benchmark_ticker: 'OLD' })).rejects.toMatchObject({
      code: 'PRICE_RANGE_EMPTY',
      message: expect.stringContaining('The benchmark OLD has prices on 0 of the'),
    });
  });

  it('of three days gives the numbers of a calculation by hand', () => {
    // Covariance sum 0.0008, variance sum 0.0012667: beta 12/19. Differences 0.01, 0.01, -0.01: a ratio of root 21.
    const relative = measureRelative([0.02, -0.01, 0.02], [0.01, -0.02, 0.03]);
    near(relative.beta, 12 / 19);
    near(relative.alpha, (0.01 - (12 / 19) * (0.02 / 3)) * 252);
    near(relative.information_ratio, Math.sqrt(21));
    near(relative.correlation, 0.0008 / Math.sqrt(0.0006 * (0.0038 / 3)));
  });

  it('that the run follows exactly has beta 1, alpha 0 and no information ratio', () => {
    const returns = [0.02, -0.01, 0.03];
    const relative = measureRelative(returns, returns);
    near(relative.beta, 1);
    near(relative.alpha, 0);
    expect(relative).toMatchObject({ tracking_error: 0, information_ratio: null });
    expect(measureRelative(returns, [0, 0, 0])).toMatchObject({ beta: null, alpha: null, correlation: null });
  });
});
