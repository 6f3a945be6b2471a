import { AgentError } from '../define-agent.js';
import type { PriceFile } from './price-store.js';
import { valueAt } from './statistics.js';

/** The prices to trade: one leg, or two on the days that both have. Arrays are parallel to `dates`, oldest first. */
export interface Market {
  dates: string[];
  legs: Leg[];
}

export interface Leg {
  ticker: string;
  open: number[];
  close: number[];
}

/** Index of the first and the last bar of a backtest, both included. */
export interface BarRange {
  first: number;
  last: number;
}

/** The market of one price file, or of two joined on their dates (inner join). */
export function joinMarket(files: readonly PriceFile[]): Market {
  const [head, ...others] = files.map(({ ticker, prices }) => ({
    ticker,
    prices,
    rowOf: new Map(prices.dates.map((date, row) => [date, row])),
  }));
  if (!head) return { dates: [], legs: [] };
  const dates = head.prices.dates.filter((date) => others.every((other) => other.rowOf.has(date)));
  const legs = [head, ...others].map(({ ticker, prices, rowOf }) => {
    const rows = dates.map((date) => rowOf.get(date) ?? -1);
    return {
      ticker,
      open: rows.map((row) => valueAt(prices.open, row)),
      close: rows.map((row) => valueAt(prices.close, row)),
    };
  });
  return { dates, legs };
}

/**
 * The bars with startDate <= date <= endDate; neither date needs to be a trading day.
 *
 * @throws AgentError `PRICE_RANGE_EMPTY` when there are fewer than 2, with the first and last date of each file.
 */
export function findRange(market: Market, startDate: string, endDate: string, files: readonly PriceFile[]): BarRange {
  const first = market.dates.findIndex((date) => date >= startDate);
  const last = market.dates.findLastIndex((date) => date <= endDate);
  const bars = first === -1 ? 0 : Math.max(0, last - first + 1);
  if (bars >= 2) return { first, last };
  const spans = files.map(({ file, prices }) => `${file} has ${prices.dates.at(0)} to ${prices.dates.at(-1)}`);
  const common =
    files.length > 1 ? ` on which both tickers have prices (${market.dates.length} common days in all)` : '';
  throw new AgentError(
    'PRICE_RANGE_EMPTY',
    `From ${startDate} to ${endDate} there ${bars === 1 ? 'is 1 bar' : 'are 0 bars'}${common}; a backtest needs at least 2. ${spans.join('; ')}.`,
  );
}
