import { readdir } from 'node:fs/promises';
import { AgentError } from '../define-agent.js';
import { readPriceFile } from './price-store.js';
import { pricesDir, tickerPattern } from './ticker.js';

/** A price file of the data directory: what it holds, or why no backtest can read it. */
export type ListedPrices =
  | { ticker: string; rows: number; first_date: string; last_date: string; adjusted: boolean }
  | { ticker: string; problem: string };

/** Every `<data>/prices/TICKER.csv`, by ticker. A directory that does not exist holds none. */
export async function listPrices(dataDir: string): Promise<{ directory: string; prices: ListedPrices[] }> {
  const directory = pricesDir(dataDir);
  const tickers = (await namesIn(directory)).flatMap((name) => /^(.+)\.csv$/.exec(name)?.[1] ?? []);
  const prices: ListedPrices[] = [];
  for (const ticker of tickers.filter((name) => tickerPattern.test(name)).sort()) {
    prices.push(await look(dataDir, ticker));
  }
  return { directory, prices };
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function look(dataDir: string, ticker: string): Promise<ListedPrices> {
  try {
    const prices = (await readPriceFile(dataDir, ticker, true))?.prices;
    // Gone since the directory was read, or a link to nothing.
    if (!prices) return { ticker, problem: 'The file is not there.' };
    const [first_date = '', last_date = ''] = [prices.dates.at(0), prices.dates.at(-1)];
    return { ticker, rows: prices.dates.length, first_date, last_date, adjusted: prices.isAdjusted };
  } catch (error) {
    if (error instanceof AgentError) return { ticker, problem: error.message };
    throw error;
  }
}
