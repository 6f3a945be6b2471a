import { existsSync } from 'node:fs';
import { messageOf, RuntimeError } from '../../base/errors.js';
import { type Prices, parsePrices } from './price-csv.js';
import { decodeUtf8, savePriceFile } from './price-store.js';
import { priceFilePath, tickerPattern, tickerRule } from './ticker.js';

/** Prices that have been checked and put into their place. */
export interface KeptPrices {
  ticker: string;
  /** Where the prices are now: `<data>/prices/TICKER.csv`. */
  path: string;
  /** Rows with prices. */
  rows: number;
  skipped_rows: number;
  first_date: string;
  last_date: string;
  /** Whether backtests will scale them by an adj close column, unless told otherwise. */
  adjusted: boolean;
}

/** Where prices are to be kept. */
export interface PricePlace {
  ticker: string;
  /** AGENT_RUNTIME_DATA_DIR. */
  dataDir: string;
  /** Whether prices that are already there are replaced. */
  mayReplace: boolean;
}

/** Throws `invalid` for what is no ticker, and `conflict` when it has prices that may not be replaced. */
export function requireFree({ ticker, dataDir, mayReplace }: PricePlace): void {
  if (!tickerPattern.test(ticker)) {
    throw new RuntimeError('invalid', `${JSON.stringify(ticker)} is no ticker.`, `It must be ${tickerRule}.`);
  }
  const path = priceFilePath(dataDir, ticker);
  if (mayReplace || !existsSync(path)) return;
  const message = `There are prices for ${ticker} already: ${path}.`;
  throw new RuntimeError('conflict', message, 'Use --force to replace them.');
}

/** Prices as a backtest will read them. Throws AgentError as `parsePrices` does. */
export function checkPrices(bytes: Uint8Array, source: string): Prices {
  return parsePrices(decodeUtf8(bytes, source), source, true);
}

/** Puts checked prices into their place, whole or not at all. Throws `unavailable`. */
export async function keepPrices(
  { ticker, dataDir }: PricePlace,
  bytes: Uint8Array,
  prices: Prices,
): Promise<KeptPrices> {
  return {
    ticker,
    path: await save(dataDir, ticker, bytes),
    rows: prices.dates.length,
    skipped_rows: prices.skippedRows,
    first_date: prices.dates.at(0) ?? '',
    last_date: prices.dates.at(-1) ?? '',
    adjusted: prices.isAdjusted,
  };
}

async function save(dataDir: string, ticker: string, bytes: Uint8Array): Promise<string> {
  try {
    return await savePriceFile(dataDir, ticker, bytes);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new RuntimeError(
      'unavailable',
      `The prices cannot be kept as ${priceFilePath(dataDir, ticker)}: ${reason}.`,
      'See to the permissions and the space there, or set AGENT_RUNTIME_DATA_DIR to another directory.',
      { cause },
    );
  }
}
