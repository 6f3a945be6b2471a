import { existsSync } from 'node:fs';
import { z } from 'zod';
import { tickerPattern, tickerRule } from '../agents/backtest/payload.js';
import { type Prices, parsePrices } from '../agents/backtest/price-csv.js';
import { downloadPrices, type PriceDownload } from '../agents/backtest/price-download.js';
import { decodeUtf8, maxPriceBytes, priceFilePath, savePriceFile } from '../agents/backtest/price-store.js';
import { AgentError } from '../agents/define-agent.js';
import { messageOf, RuntimeError } from '../base/errors.js';
import { readNamedFile } from './read-named-file.js';

/** The price file to write. */
export interface PriceTarget {
  ticker: string;
  /** AGENT_RUNTIME_DATA_DIR. */
  dataDir: string;
  /** Whether prices that are already there are replaced. */
  mayReplace: boolean;
}

/** A price file that was checked and stored. */
export interface StoredPrices {
  ticker: string;
  /** Where the prices are now: `<data>/prices/TICKER.csv`. */
  path: string;
  /** Rows that hold prices. */
  rows: number;
  skipped_rows: number;
  first_date: string;
  last_date: string;
  /** Whether backtests scale them by an adj close column, unless the payload says otherwise. */
  adjusted: boolean;
}

export interface PriceImport extends PriceTarget {
  /** A CSV file anywhere, as the user named it. */
  file: string;
}

/**
 * `agent-runtime prices import FILE --ticker X`: checks a CSV file by the rules by which a backtest reads it, and stores
 * a copy under the ticker's name. An existing price file is replaced only with `mayReplace`, and only by a valid one.
 *
 * @throws RuntimeError `invalid` (ticker, content, size, not a regular file) or `not_found`, with the file and line;
 *   `conflict` when the ticker has prices; `unavailable` when the copy cannot be written.
 */
export async function importPrices(request: PriceImport): Promise<StoredPrices> {
  refuseConflict(request);
  const bytes = await readNamedFile(request.file, { maxBytes: maxPriceBytes, hint: fileHint, asInvalid });
  return storePrices(request, bytes, checkFile(bytes, request.file));
}

export interface PriceFetch extends PriceTarget {
  /** First and last day, YYYY-MM-DD. */
  startDate: string;
  endDate: string;
  /** The provider, where one is configured. */
  download: PriceDownload | undefined;
  signal: AbortSignal;
}

/**
 * `agent-runtime prices fetch`: downloads the prices of one ticker, checks them as an import does and stores them. An
 * existing price file is replaced only with `mayReplace`, and only by a valid one.
 *
 * @throws RuntimeError `not_configured` without a provider; `invalid` (ticker, dates, the URL template), `conflict` (the
 *   ticker has prices), `unavailable` (the provider's answer), `cancelled`.
 */
export async function fetchPrices(request: PriceFetch): Promise<StoredPrices> {
  const { download, signal } = request;
  refuseConflict(request);
  checkDates(request);
  if (!download) {
    throw new RuntimeError(
      'not_configured',
      'No address for prices is configured: AGENT_RUNTIME_PRICES_URL is not set.',
      'Set it to a URL with {ticker}, {start} and {end}, or import a file: agent-runtime prices import FILE --ticker X.',
    );
  }
  try {
    const { bytes, source } = await downloadPrices(download, { ...request, maxBytes: maxPriceBytes });
    return await storePrices(request, bytes, checkPrices(bytes, source));
  } catch (cause) {
    if (signal.aborted) throw new RuntimeError('cancelled', 'The download was interrupted.', 'Nothing was changed.');
    if (!(cause instanceof AgentError)) throw cause;
    const isTemplate = cause.code === 'PRICES_URL_INVALID';
    const hint = isTemplate ? 'Correct AGENT_RUNTIME_PRICES_URL.' : 'Nothing was changed; try again, or import a file.';
    throw new RuntimeError(isTemplate ? 'invalid' : 'unavailable', cause.message, hint, { cause });
  }
}

/** Throws `invalid` for an invalid ticker, and `conflict` when it has prices that may not be replaced. */
function refuseConflict({ ticker, dataDir, mayReplace }: PriceTarget): void {
  if (!tickerPattern.test(ticker)) {
    throw new RuntimeError('invalid', `${JSON.stringify(ticker)} is no ticker.`, `It must be ${tickerRule}.`);
  }
  const path = priceFilePath(dataDir, ticker);
  if (mayReplace || !existsSync(path)) return;
  const message = `There are prices for ${ticker} already: ${path}.`;
  throw new RuntimeError('conflict', message, 'Use --force to replace them.');
}

function checkDates({ startDate, endDate }: PriceFetch): void {
  const wrong = [startDate, endDate].find((date) => !z.iso.date().safeParse(date).success);
  if (wrong !== undefined) {
    throw new RuntimeError('invalid', `${JSON.stringify(wrong)} is not a date.`, 'Write it as YYYY-MM-DD.');
  }
  if (startDate > endDate) {
    const message = `The last day, ${endDate}, is before the first, ${startDate}.`;
    throw new RuntimeError('invalid', message, 'Swap the two dates.');
  }
}

function checkFile(bytes: Buffer, file: string): Prices {
  try {
    return checkPrices(bytes, file);
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    throw cause;
  }
}

/** Parses prices as a backtest does. Throws AgentError as `parsePrices` does. */
function checkPrices(bytes: Uint8Array, source: string): Prices {
  return parsePrices(decodeUtf8(bytes, source), source, true);
}

const fileHint = 'Give the path of a CSV file with daily prices.';

// The command line shows RuntimeErrors; the message, with file and line, is complete as it is.
function asInvalid(cause: AgentError): RuntimeError {
  return new RuntimeError('invalid', cause.message, 'Fix the file and import it again; nothing was changed.', {
    cause,
  });
}

/** Writes checked prices, whole or not at all. Throws `unavailable`. */
async function storePrices({ ticker, dataDir }: PriceTarget, bytes: Uint8Array, prices: Prices): Promise<StoredPrices> {
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
    throw new RuntimeError(
      'unavailable',
      `The prices cannot be written to ${priceFilePath(dataDir, ticker)}: ${messageOf(cause)}.`,
      'Check the permissions and the free space there, or set AGENT_RUNTIME_DATA_DIR to another directory.',
      { cause },
    );
  }
}
