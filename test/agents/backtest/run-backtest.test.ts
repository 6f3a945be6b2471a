import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readResult } from '../../../src/core/jobs/second-names.js';
import type { Bar } from './random-walk.js';
import { addDays, randomWalk } from './random-walk.js';
import { createWorkspace, type Workspace } from './workspace.js';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await createWorkspace();
});
afterEach(() => workspace.remove());

/** Daily bars from 2024-01-01 on, given as [open, close]. */
function barsOf(...prices: [open: number, close: number][]): Bar[] {
  return prices.map(([open, close], i) => ({
    date: addDays('2024-01-01', i),
    open,
    high: Math.max(open, close),
    low: Math.min(open, close),
    close,
  }));
}

const metricKeys = [
  ...['bars', 'final_equity', 'total_return', 'cagr', 'annual_volatility', 'sharpe', 'sortino', 'max_drawdown'],
  ...['trades', 'win_rate', 'profit_factor', 'exposure', 'commission_paid'],
];
const resultKeys = [
  ...metricKeys,
  ...['backtest_id', 'strategy', 'ticker', 'params', 'start_date', 'end_date', 'initial_capital', 'commission'],
  ...['completed_at', 'equity_curve', 'benchmark_curve', 'trade_list', 'fills', 'benchmark', 'data', 'warnings'],
].sort();
const secondKeys = ['final_value', 'annualized_return', 'sharpe_ratio', 'num_trades', 'portfolio_values'];

const year = { start_date: '2024-01-01', end_date: '2024-12-31' };

describe('by hand', () => {
  it('momentum buys at the open after the signal and sells at the open after it ends', async () => {
    await workspace.writePrices('X', barsOf([10, 10], [10, 11], [12, 12], [12, 9], [8, 8]));
    const payload = { strategy: 'momentum', ticker: 'X', ...year, initial_capital: 1200, commission: 0 };
    const result = await workspace.run({ ...payload, params: { lookback: 1 } });
    expect(result.equity_curve).toEqual([
      ['2024-01-01', 1200],
      ['2024-01-02', 1200],
      ['2024-01-03', 1200],
      ['2024-01-04', 900],
      ['2024-01-05', 800],
    ]);
    const trade = {
      entry_date: '2024-01-03',
      exit_date: '2024-01-05',
      direction: 'long',
      pnl: -400,
      return: -400 / 1200,
    };
    expect(result.trade_list).toEqual([trade]);
    expect(result).toMatchObject({
      bars: 5,
      final_equity: 800,
      total_return: 800 / 1200 - 1,
      cagr: (800 / 1200) ** (365.25 / 4) - 1,
      max_drawdown: 800 / 1200 - 1,
      trades: 1,
      win_rate: 0,
      profit_factor: 0,
      exposure: 0.4,
      commission_paid: 0,
    });
    // Returns 0, 0, 0, -1/4, -1/9.
    const mean = -13 / 36 / 5;
    const spread = 3 * mean ** 2 + (-1 / 4 - mean) ** 2 + (-1 / 9 - mean) ** 2;
    expect(result.annual_volatility).toBeCloseTo(Math.sqrt(spread / 4) * Math.sqrt(252), 12);
    expect(result.sharpe).toBeCloseTo((mean / Math.sqrt(spread / 4)) * Math.sqrt(252), 12);
    expect(result.sortino).toBeCloseTo((mean / Math.sqrt((1 / 16 + 1 / 81) / 5)) * Math.sqrt(252), 12);
    expect(result.benchmark).toMatchObject({ final_equity: 960, max_drawdown: 960 / 1440 - 1, trades: 1, exposure: 1 });
  });

  it('commission comes out of the cash at entry and is paid again at exit', async () => {
    await workspace.writePrices('X', barsOf([8, 8], [8, 9], [8, 10], [9, 11]));
    const payload = { strategy: 'momentum', ticker: 'X', ...year, initial_capital: 1000, commission: 0.25 };
    const result = await workspace.run({ ...payload, params: { lookback: 1 } });
    // 1000 / 1.25 = 800 buys 100 shares at 8, commission 200; sold at the last close, 11, with 275.
    expect(result.equity_curve.map(([, equity]) => equity)).toEqual([1000, 1000, 1000, 825]);
    expect(result).toMatchObject({ commission_paid: 475, final_equity: 825, trades: 1, profit_factor: 0 });
    expect(result.fills).toEqual([
      { date: '2024-01-03', ticker: 'X', action: 'BUY', price: 8, quantity: 100, commission: 200 },
      { date: '2024-01-04', ticker: 'X', action: 'SELL', price: 11, quantity: 100, commission: 275 },
    ]);
    expect(result.trade_list[0]).toMatchObject({ pnl: -175, return: -0.175, exit_date: '2024-01-04' });
  });

  it('mean_reversion turns from long to short at one open, and short proceeds are cash', async () => {
    await workspace.writePrices('X', barsOf([10, 10], [10, 8], [8, 12], [10, 9]));
    const payload = { strategy: 'mean_reversion', ticker: 'X', ...year, initial_capital: 800, commission: 0 };
    const result = await workspace.run({ ...payload, params: { window: 2, entry_z: 1, allow_short: true } });
    expect(result.equity_curve.map(([, equity]) => equity)).toEqual([800, 800, 1200, 1100]);
    expect(result.trade_list).toEqual([
      { entry_date: '2024-01-03', exit_date: '2024-01-04', direction: 'long', pnl: 200, return: 0.25 },
      { entry_date: '2024-01-04', exit_date: '2024-01-04', direction: 'short', pnl: 100, return: 0.1 },
    ]);
    expect(result).toMatchObject({ win_rate: 1, profit_factor: null, exposure: 0.5 });
  });

  it('arbitrage splits the notional 1 : beta over both legs', async () => {
    // ln A = 0, 2, 1 on ln B = 0, 1, 2: beta 1/2, residuals -1/2, 1, -1/2, z = -0.707.
    const e = Math.E;
    await workspace.writePrices('A', barsOf([1, 1], [1, e * e], [e, e], [10, 11]));
    await workspace.writePrices('B', barsOf([1, 1], [1, e], [e, e * e], [5, 4]));
    const payload = { strategy: 'arbitrage', ticker: 'A,B', ...year, initial_capital: 900, commission: 0 };
    const result = await workspace.run({ ...payload, params: { window: 3, entry_z: 0.7 } });
    // 600 of A at 10, 300 of B sold at 5: 60 and -60 shares; closed at 11 and 4.
    expect(result.final_equity).toBeCloseTo(1020, 9);
    expect(result.trade_list).toHaveLength(1);
    expect(result.trade_list[0]).toMatchObject({
      direction: 'long',
      entry_date: '2024-01-04',
      exit_date: '2024-01-04',
    });
    expect(result.trade_list[0]?.pnl).toBeCloseTo(120, 9);
    expect(result).toMatchObject({ ticker: 'A', pair_ticker: 'B', trades: 1, exposure: 0.25 });
    expect(result.pair_data).toMatchObject({ rows: 4, first_date: '2024-01-01', last_date: '2024-01-04' });
  });

  it('a beta of 0 or less opens no pair', async () => {
    await workspace.writePrices('A', barsOf([1, 1], [1, 3], [1, 0.5], [1, 1]));
    await workspace.writePrices('B', barsOf([1, 1], [1, 0.3], [1, 1.7], [1, 1]));
    const payload = { strategy: 'arbitrage', ticker: 'A', pair_ticker: 'B', ...year };
    const result = await workspace.run({ ...payload, params: { window: 3, entry_z: 0 } });
    expect(result).toMatchObject({ trades: 0, exposure: 0 });
  });

  it('scales open and close by adj close / close, unless told not to', async () => {
    await workspace.writePrices(
      'X',
      'date,open,high,low,close,adj close\n2024-01-01,10,10,10,10,5\n2024-01-02,12,20,12,20,10\n2024-01-03,30,30,30,30,30\n',
    );
    const payload = { strategy: 'momentum', ticker: 'X', ...year, initial_capital: 100, commission: 0 };
    const adjusted = await workspace.run({ ...payload, params: { lookback: 1 } });
    // Bought at 5 (10 * 5 / 10), sold at 30.
    expect(adjusted.benchmark).toMatchObject({ final_equity: 600 });
    expect(adjusted.data).toMatchObject({ adjusted: true });
    const raw = await workspace.run({ ...payload, adjusted: false, params: { lookback: 1 } });
    expect(raw.benchmark).toMatchObject({ final_equity: 300 });
    expect(raw.data).toMatchObject({ adjusted: false });
  });
});

describe('figures that are undefined are null', () => {
  const payload = { strategy: 'momentum', ticker: 'X', ...year, initial_capital: 1000, commission: 0 };

  it('no trades', async () => {
    await workspace.writePrices('X', randomWalkFrom2024(50));
    const result = await workspace.run({ ...payload, params: { lookback: 1, threshold: 10 } });
    expect(result).toMatchObject({
      trades: 0,
      win_rate: null,
      profit_factor: null,
      sharpe: null,
      sortino: null,
      annual_volatility: 0,
      cagr: 0,
      max_drawdown: 0,
      exposure: 0,
      commission_paid: 0,
    });
  });

  it('prices that never move', async () => {
    await workspace.writePrices('X', barsOf([0.1, 0.1], [0.1, 0.1], [0.1, 0.1], [0.1, 0.1]));
    const result = await workspace.run({ ...payload, params: { lookback: 1, threshold: -0.5 } });
    expect(result).toMatchObject({ trades: 1, sharpe: null, sortino: null });
    const flat = await workspace.run({
      ...payload,
      strategy: 'mean_reversion',
      params: { window: 3, entry_z: 0.5, allow_short: true },
    });
    expect(flat.trades).toBe(0);
  });

  it('a trade that ends where it began is no win and no loss', async () => {
    await workspace.writePrices('X', barsOf([10, 10], [10, 11], [10, 9], [10, 9]));
    const result = await workspace.run({ ...payload, params: { lookback: 1 } });
    expect(result.trade_list).toMatchObject([{ pnl: 0, return: 0 }]);
    expect(result).toMatchObject({ win_rate: 0, profit_factor: null });
  });

  it('no loss', async () => {
    await workspace.writePrices('X', barsOf([1, 1], [1, 2], [2, 3], [3, 5], [5, 6]));
    const result = await workspace.run({ ...payload, params: { lookback: 1 } });
    expect(result).toMatchObject({ profit_factor: null, sortino: null, win_rate: 1, max_drawdown: 0 });
    expect(result.sharpe).toBeGreaterThan(0);
  });

  it('a short that loses more than the equity: trading stops, and there is no growth rate of negative equity', async () => {
    await workspace.writePrices('X', barsOf([10, 10], [10, 9], [10, 30], [30, 31], [31, 32]));
    const result = await workspace.run({ ...payload, params: { lookback: 1, allow_short: true } });
    // 100 shares sold at 10, bought back at 30; the long that was due at the same open is not opened.
    expect(result.equity_curve.map(([, equity]) => equity)).toEqual([1000, 1000, -1000, -1000, -1000]);
    expect(result).toMatchObject({ trades: 1, cagr: null, final_equity: -1000 });
    expect(result.warnings).toContain('Trading stopped on 2024-01-04: no cash was left.');
  });
});

describe('no look-ahead', () => {
  const strategies = [
    ['momentum', { lookback: 10, allow_short: true }],
    ['mean_reversion', { window: 10, entry_z: 1, allow_short: true }],
    ['arbitrage', { window: 10, entry_z: 1 }],
  ] as const;
  const range = { start_date: '2015-03-01', end_date: '2015-10-01' };

  async function run(strategy: string, params: object, a: Bar[], b: Bar[]) {
    await workspace.writePrices('A', a);
    await workspace.writePrices('B', b);
    const pair = strategy === 'arbitrage' ? { pair_ticker: 'B' } : {};
    return workspace.run({ strategy, ticker: 'A', ...pair, ...range, params });
  }

  it.each(strategies)('%s: prices after bar k do not change the equity up to k', async (strategy, params) => {
    const a = randomWalk(1, 260);
    const b = randomWalk(2, 260, a);
    const whole = await run(strategy, params, a, b);
    for (const k of [45, 80, 120, 170]) {
      const [otherA, otherB] = [randomWalk(3, 260), randomWalk(4, 260)];
      const changed = await run(
        strategy,
        params,
        [...a.slice(0, k + 1), ...otherA.slice(k + 1)],
        [...b.slice(0, k + 1), ...otherB.slice(k + 1)],
      );
      const upTo = (curve: [string, number][]) => curve.filter(([date]) => date <= (a[k]?.date ?? ''));
      expect(upTo(changed.equity_curve)).toEqual(upTo(whole.equity_curve));
      expect(changed.equity_curve).not.toEqual(whole.equity_curve);
    }
  });

  it.each(strategies)('%s: dropping the rows after end_date changes nothing', async (strategy, params) => {
    const a = randomWalk(5, 260);
    const b = randomWalk(6, 260, a);
    const until = (bars: Bar[]) => bars.filter((bar) => bar.date <= range.end_date);
    const [whole, cut] = [await run(strategy, params, a, b), await run(strategy, params, until(a), until(b))];
    expect(withoutData(cut)).toEqual(withoutData(whole));
    expect(whole.trade_list.length).toBeGreaterThan(3);
  });

  it.each(strategies)('%s: older rows change nothing once the warm-up is full', async (strategy, params) => {
    const a = randomWalk(7, 260);
    const b = randomWalk(8, 260, a);
    const start = a.findIndex((bar) => bar.date >= range.start_date);
    const from = (bars: Bar[]) => bars.slice(start - 12);
    const [whole, cut] = [await run(strategy, params, a, b), await run(strategy, params, from(a), from(b))];
    expect(withoutData(cut)).toEqual(withoutData(whole));
  });
});

describe('as a job', () => {
  const payload = { strategy: 'momentum', ticker: 'X', start_date: '2015-03-01', end_date: '2015-10-01' };

  it('returns each figure once, and is read with the keys of the earlier job server too', async () => {
    const path = await workspace.writePrices('X', randomWalk(1, 260));
    const returned = await workspace.run(payload);
    expect(Object.keys(returned).sort()).toEqual(resultKeys);
    const result = readResult('backtest', JSON.stringify(returned)) as unknown as typeof returned;
    expect(Object.keys(result).sort()).toEqual([...resultKeys, ...secondKeys].sort());
    expect(result).toMatchObject({
      backtest_id: 'bt_01234567',
      completed_at: '2024-05-06T07:08:09.000Z',
      params: { lookback: 63, threshold: 0, allow_short: false },
      initial_capital: 100_000,
      commission: 0.001,
      final_value: result.final_equity,
      annualized_return: result.cagr,
      sharpe_ratio: result.sharpe,
      num_trades: result.trades,
    });
    expect(result.data).toEqual({
      file: path,
      rows: 260,
      first_date: '2015-01-01',
      last_date: '2015-12-30',
      adjusted: false,
      skipped_rows: 0,
    });
    expect(result.portfolio_values).toEqual(result.equity_curve.map(([date, value]) => ({ date, value })));
    expect(Object.keys(result.benchmark).sort()).toEqual([...metricKeys].sort());
    expect(result.benchmark_curve.map(([date]) => date)).toEqual(result.equity_curve.map(([date]) => date));
    expect(result.benchmark_curve.at(-1)?.[1]).toBe(result.benchmark.final_equity);
  });

  it('reports progress from 0 to 1 without going back', async () => {
    await workspace.writePrices('X', randomWalk(1, 900));
    await workspace.run({ ...payload, end_date: '2018-01-01' });
    const fractions = workspace.progress.map(([fraction]) => fraction);
    expect(fractions.at(0)).toBe(0);
    expect(fractions.at(-1)).toBe(1);
    expect(fractions.length).toBeGreaterThan(6);
    expect(fractions).toEqual([...fractions].sort((x, y) => x - y));
  });

  it('ends with the reason of the signal when it is cancelled while trading', async () => {
    await workspace.writePrices('X', randomWalk(1, 900));
    const reason = new Error('cancelled by the user');
    workspace.onProgress = (fraction) => {
      if (fraction > 0.3) workspace.controller.abort(reason);
    };
    await expect(workspace.run({ ...payload, end_date: '2018-01-01' })).rejects.toBe(reason);
    expect(workspace.progress.at(-1)?.[0]).toBeLessThan(0.5);
  });

  it('saves equity against buy and hold as an SVG when asked', async () => {
    await workspace.writePrices('X', randomWalk(1, 260));
    const result = await workspace.run({ ...payload, plot: true });
    const { path } = result.plot as { path: string };
    const svg = await readFile(path, 'utf8');
    expect(svg).toContain('momentum on X, 2015-03-02 to 2015-10-01');
    expect(svg.match(/<polyline/g)).toHaveLength(2);
  });

  it('warns of missing data and early ends', async () => {
    const lines = randomWalk(1, 100).map((bar) => `${bar.date},${bar.open},${bar.high},${bar.low},${bar.close}`);
    await workspace.writePrices(
      'X',
      ['date,open,high,low,close', ...lines, '2015-01-03,null,null,null,null'].join('\n'),
    );
    const result = await workspace.run({ ...payload, start_date: '2014-06-01', end_date: '2015-12-31' });
    expect(result.warnings).toEqual([
      expect.stringContaining('1 rows without prices were skipped'),
      'The first bar is 2015-01-01; there are no prices from start_date 2014-06-01 to then.',
      'The last bar is 2015-05-20; there are no prices from then to end_date 2015-12-31.',
      'Only 0 bars precede the range and the indicator needs 64: no position before the close of 2015-03-31.',
    ]);
    expect(workspace.warnings).toEqual(result.warnings);
  });
});

const randomWalkFrom2024 = (bars: number): Bar[] =>
  randomWalk(9, bars).map((bar, i) => ({ ...bar, date: addDays('2024-01-01', i) }));

/** A result without the keys that describe the files. */
function withoutData({ data, pair_data, warnings, ...rest }: Record<string, unknown>) {
  return rest;
}
