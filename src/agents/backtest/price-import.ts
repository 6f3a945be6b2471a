import { RuntimeError } from '../../base/errors.js';
import { AgentError } from '../define-agent.js';
import { parsePrices } from './price-csv.js';
import { decodeUtf8, maxPriceBytes, savePriceFile } from './price-store.js';
import { readRegularFile } from './regular-file.js';
import { tickerPattern, tickerRule } from './ticker.js';

export interface PriceImport {
  /** A CSV file anywhere, as the user named it. */
  file: string;
  ticker: string;
  /** AGENT_RUNTIME_DATA_DIR. */
  dataDir: string;
}

export interface ImportedPrices {
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
 * a copy under the ticker's name. A file already there is replaced, but never by one that fails the check.
 *
 * @throws RuntimeError `invalid` (ticker, content, size, not a regular file) or `not_found`, with the file and line.
 */
export async function importPrices({ file, ticker, dataDir }: PriceImport): Promise<ImportedPrices> {
  if (!tickerPattern.test(ticker)) {
    throw new RuntimeError('invalid', `${JSON.stringify(ticker)} is no ticker.`, `It must be ${tickerRule}.`);
  }
  const bytes = await readSource(file);
  const prices = check(bytes, file);
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

function check(bytes: Buffer, file: string) {
  try {
    return parsePrices(decodeUtf8(bytes, file), file, true);
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
