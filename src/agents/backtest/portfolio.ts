import { AgentError } from '../define-agent.js';
import type { BarRange, Market } from './market.js';
import { returnsOf } from './metrics.js';
import type { PriceFile } from './price-store.js';
import { measureRelative, type Relative } from './relative.js';
import { type Account, type Simulation, simulate } from './simulation.js';
import { valueAt } from './statistics.js';
import { oneLeg } from './strategies.js';

/** The part of a market that one ticker is. */
export const sleeveOf = (market: Market, leg: number): Market => ({
  dates: market.dates,
  legs: [valueAt(market.legs, leg)],
});

/**
 * Several runs over the same bars as one: the sum of their equities, all their trades in order of time. Each has a share of
 * the capital of its own, and money never moves between them.
 */
export function combine(runs: readonly Simulation[]): Simulation {
  const first = valueAt(runs, 0);
  if (runs.length === 1) return first;
  const stops = runs.flatMap(({ stoppedAt }) => stoppedAt ?? []).sort();
  return {
    equity: first.equity.map((_, bar) => runs.reduce((sum, { equity }) => sum + valueAt(equity, bar), 0)),
    roundTrips: runs.flatMap(({ roundTrips }) => roundTrips).sort((a, b) => compare(a.entryDate, b.entryDate)),
    fills: runs.flatMap(({ fills }) => fills).sort((a, b) => compare(a.date, b.date)),
    isHeld: first.isHeld.map((_, bar) => runs.some(({ isHeld }) => valueAt(isHeld, bar))),
    stoppedAt: stops.length === runs.length ? stops.at(-1) : undefined,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Buys all legs of a market at the first open of the range, with these shares of the capital, and sells at the last close. */
export function buyAndHold(market: Market, range: BarRange, account: Account, weights: readonly number[]): Simulation {
  const targets = Array.from({ length: range.last - range.first + 1 }, () => oneLeg(1));
  const runs = weights.map((weight, leg) => {
    const share = { ...account, initialCapital: account.initialCapital * weight };
    return simulate(sleeveOf(market, leg), range, targets, share);
  });
  return combine(runs);
}

export interface AgainstBenchmark {
  /** Buy and hold of the benchmark over `dates`. */
  hold: Simulation;
  /** The traded days on which the benchmark has prices too. */
  dates: string[];
  relative: Relative;
}

/**
 * A run against buy and hold of another ticker, on the days that both have.
 *
 * @throws AgentError `PRICE_RANGE_EMPTY` when these are fewer than 3
 */
export function compareWithBenchmark(
  run: { dates: readonly string[]; equity: readonly number[] },
  { ticker, file, prices }: PriceFile,
  account: Account,
): AgainstBenchmark {
  const equityOf = new Map(run.dates.map((date, bar) => [date, valueAt(run.equity, bar)]));
  const rows = prices.dates.flatMap((date, row) => (equityOf.has(date) ? [row] : []));
  if (rows.length < 3) {
    throw new AgentError(
      'PRICE_RANGE_EMPTY',
      `The benchmark ${ticker} has prices on ${rows.length} of the ${run.dates.length} traded days; at least 3 are needed. ` +
        `${file} has ${prices.dates.at(0)} to ${prices.dates.at(-1)}.`,
    );
  }
  const pick = <Value>(values: readonly Value[]) => rows.map((row) => valueAt(values, row));
  const dates = pick(prices.dates);
  const market = { dates, legs: [{ ticker, open: pick(prices.open), close: pick(prices.close) }] };
  const hold = buyAndHold(market, { first: 0, last: dates.length - 1 }, account, [1]);
  const equity = dates.map((date) => equityOf.get(date) ?? Number.NaN);
  const { initialCapital } = account;
  return {
    hold,
    dates,
    relative: measureRelative(returnsOf(equity, initialCapital), returnsOf(hold.equity, initialCapital)),
  };
}
