import { existsSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.js';
import { AgentError } from '../define-agent.js';
import { type Prices, parsePrices } from './price-csv.js';
import { decodeUtf8, maxPriceBytes, savePriceFile } from './price-store.js';
import { readRegularFile } from './regular-file.js';
import { priceFilePath, tickerPattern, tickerRule } from './ticker.js';

export interface PriceImport {
  /** A CSV file anywhere, as the user named it. */
  file: string;
  ticker: string;
  /** AGENT_RUNTIME_DATA_DIR. */
  dataDir: string;
  /** Whether prices that are already there are replaced. */
  mayReplace: boolean;
}

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

/**
 * `agent-runtime prices import FILE --ticker X`: checks a price file by the rules that a backtest reads it by, and keeps
 * a copy under the ticker's name. A file already there is replaced only when asked for, and never by one that fails the
 * check.
 *
 * @throws RuntimeError `invalid` (ticker, content, size, not a regular file) or `not_found`, with the file and line;
 *   `conflict` when the ticker has prices.
 */
export async function importPrices(request: PriceImport): Promise<KeptPrices> {
  const { file, ticker, dataDir } = request;
  await requireFree(request);
  const bytes = await readSource(file);
  return keepPrices(dataDir, ticker, bytes, check(bytes, file));
}

/** Throws `invalid` for what is no ticker, and `conflict` when it has prices that may not be replaced. */
export async function requireFree({ ticker, dataDir, mayReplace }: Omit<PriceImport, 'file'>): Promise<void> {
  if (!tickerPattern.test(ticker)) {
    throw new RuntimeError('invalid', `${JSON.stringify(ticker)} is no ticker.`, `It must be ${tickerRule}.`);
  }
  const path = priceFilePath(dataDir, ticker);
  if (mayReplace || !existsSync(path)) return;
  throw new RuntimeError(
    'conflict',
    `There are prices for ${ticker} already: ${path}.`,
    'Use --force to replace them.',
  );
}

/** Prices as a backtest will read them. Throws AgentError as `parsePrices` does. */
export function checkNewPrices(bytes: Uint8Array, source: string): Prices {
  return parsePrices(decodeUtf8(bytes, source), source, true);
}

/** Puts checked prices into their place. */
export async function keepPrices(
  dataDir: string,
  ticker: string,
  bytes: Uint8Array,
  prices: Prices,
): Promise<KeptPrices> {
  const path = await savePriceFile(dataDir, ticker, bytes);
  return {
    ticker,
    path,
    rows: prices.dates.length,
    skipped_rows: prices.skippedRows,
    first_date: prices.dates.at(0) ?? '',
    last_date: prices.dates.at(-1) ?? '',
    adjusted: prices.isAdjusted,
  };
}

async function readSource(file: string): Promise<Buffer> {
  try {
    return await readRegularFile(file, maxPriceBytes);
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new RuntimeError(
      missing ? 'not_found' : 'invalid',
      missing ? `There is no file ${file}.` : `Cannot read ${file}: ${String(cause)}.`,
      'Give the path of a CSV file with daily prices.',
      { cause },
    );
  }
}

function check(bytes: Buffer, file: string): Prices {
  try {
    return checkNewPrices(bytes, file);
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    throw cause;
  }
}

// The command line speaks RuntimeError; the message, with file and line, is already the whole of it.
function asInvalid(cause: AgentError): RuntimeError {
  return new RuntimeError('invalid', cause.message, 'Mend the file and import it again; nothing was changed.', {
    cause,
  });
}
