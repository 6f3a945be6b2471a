import { expect, it } from 'vitest';
import { z } from 'zod';
import { backtestPayload } from '../../../src/agents/backtest/payload.js';

const payload = { strategy: 'momentum', ticker: 'AAPL' };

function problemOf(input: unknown): string {
  const { error } = backtestPayload.safeParse(input);
  return error ? z.prettifyError(error) : 'no problem';
}

it('takes the example of the earlier job server and fills in its defaults', () => {
  expect(backtestPayload.parse(payload)).toEqual({
    ...payload,
    start_date: '2023-01-01',
    end_date: '2023-12-31',
    initial_capital: 100_000,
    commission: 0.001,
    adjusted: true,
    plot: false,
  });
});

it.each([
  [{ ticker: 'AAPL' }, 'strategy'],
  [{ strategy: 'momentum' }, 'ticker'],
  [{ ...payload, strategy: 'hope' }, '"momentum"|"mean_reversion"|"arbitrage"'],
  [{ ...payload, stop_loss: 1 }, 'Unrecognized key: "stop_loss"'],
  [{ ...payload, initial_capital: Number.NaN }, 'received NaN'],
  [{ ...payload, initial_capital: 0 }, 'initial_capital'],
  [{ ...payload, commission: -0.1 }, 'commission'],
  [{ ...payload, commission: Number.POSITIVE_INFINITY }, 'commission'],
  [{ ...payload, start_date: '2023-02-30' }, 'start_date'],
  [{ ...payload, start_date: '2024-01-01' }, 'end_date 2023-12-31 is before start_date 2024-01-01'],
  [{ ...payload, params: { lookback: 0 } }, 'params.lookback'],
  [{ ...payload, params: { lookback: 1.5 } }, 'params.lookback'],
  [{ ...payload, params: { threshold: Number.NaN } }, 'params.threshold'],
])('refuses %j', (input, words) => {
  expect(problemOf(input)).toContain(words);
});

it('names the parameters of every strategy when one is unknown', () => {
  expect(problemOf({ ...payload, params: { fast: 3 } })).toContain(
    'Unknown parameter: fast. momentum knows lookback, threshold, allow_short; ' +
      'mean_reversion knows window, entry_z, exit_z, allow_short; arbitrage knows window, entry_z, exit_z.',
  );
});

it('names the parameters of the strategy when one belongs to another', () => {
  expect(problemOf({ ...payload, params: { window: 3 } })).toContain(
    'momentum has no window; it knows lookback, threshold, allow_short.',
  );
  const pair = { strategy: 'arbitrage', ticker: 'A,B' };
  expect(problemOf({ ...pair, params: { allow_short: false } })).toContain('arbitrage has no allow_short');
  expect(problemOf({ ...pair, params: { allow_short: true } })).toBe('no problem');
  expect(problemOf({ ...pair, params: { window: 2 } })).toContain('at least 3');
});

it('takes a pair as two fields or as one', () => {
  expect(problemOf({ strategy: 'arbitrage', ticker: 'KO,PEP' })).toBe('no problem');
  expect(problemOf({ strategy: 'arbitrage', ticker: 'KO, PEP' })).toBe('no problem');
  expect(problemOf({ strategy: 'arbitrage', ticker: 'KO', pair_ticker: 'PEP' })).toBe('no problem');
  expect(problemOf({ strategy: 'arbitrage', ticker: 'KO' })).toContain('arbitrage needs two tickers');
  expect(problemOf({ strategy: 'arbitrage', ticker: 'KO,PEP', pair_ticker: 'X' })).toContain('got 3');
  expect(problemOf({ strategy: 'arbitrage', ticker: 'KO,KO' })).toContain('must differ');
  expect(problemOf({ ...payload, ticker: 'KO,PEP' })).toContain('momentum trades one ticker; got 2');
  expect(problemOf({ ...payload, pair_ticker: 'PEP' })).toContain('momentum trades one ticker; got 2');
});

it.each(['../x', '..', 'a/b', 'a\\b', 'a\0b', '/etc/passwd', '', ' ', 'a b', 'A'.repeat(21), 'x..y'])(
  'refuses the ticker %j',
  (ticker) => {
    expect(problemOf({ ...payload, ticker })).toContain('is no ticker');
    expect(problemOf({ strategy: 'arbitrage', ticker: 'A', pair_ticker: ticker })).toContain('ticker');
  },
);

it.each(['BRK.B', 'BRK-B', '^GSPC', 'EURUSD=X', 'A_1', '7203.T'])('takes the ticker %s', (ticker) => {
  expect(problemOf({ ...payload, ticker })).toBe('no problem');
});

it('has a JSON schema with a description of every field', () => {
  const schema = z.toJSONSchema(backtestPayload, { io: 'input' });
  const fields = Object.entries(schema.properties ?? {});
  expect(fields.map(([name]) => name)).toContain('pair_ticker');
  for (const [name, field] of fields)
    expect([name, Object.keys(field)]).toEqual([name, expect.arrayContaining(['description'])]);
});
