import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newShortId } from '../../base/ids.js';
import { systemCode } from '../../base/network-error.js';
import { AgentError } from '../define-agent.js';
import { readFileInside } from '../regular-file.js';
import { tickerPattern, tickerRule } from './payload.js';
import { type Prices, parsePrices, priceHeader } from './price-csv.js';
import { downloadPrices, type PriceDownload } from './price-download.js';

/** 16 MiB: about 200,000 rows, which are read in one second; ten years of days are 0.2 MB. */
export const maxPriceBytes = 16 * 1024 * 1024;

/** The prices of one ticker, and the file that they came from. */
export interface PriceFile {
  ticker: string;
  /** Absolute path. */
  file: string;
  prices: Prices;
}

export interface PriceRequest {
  dataDir: string;
  ticker: string;
  /** Scale by the adj close column, where there is one. */
  adjusted: boolean;
  /** The requested range, for the message when there is no file and no download. */
  startDate: string;
  endDate: string;
  /** The first date to download: before startDate, because the indicators need bars to warm up. */
  downloadFrom: string;
  /** Used only when the file is missing. */
  download: PriceDownload | undefined;
  signal: AbortSignal;
}

/**
 * Reads `<data>/prices/TICKER.csv`. If it is missing and a download is configured, downloads and stores it first.
 *
 * @throws AgentError `PRICE_DATA_NOT_FOUND`, `PRICE_FILE_INVALID` (see `parsePrices`), `FILE_NOT_ALLOWED`,
 *   `FILE_TOO_LARGE`, `PRICE_DOWNLOAD_FAILED`, `PRICES_URL_INVALID` (see `downloadPrices`).
 */
export async function loadPrices(request: PriceRequest): Promise<PriceFile> {
  const { dataDir, ticker, adjusted, download } = request;
  const stored = await readPriceFile(dataDir, ticker, adjusted);
  if (stored) return stored;
  const file = priceFilePath(dataDir, ticker);
  if (!download) throw notFound(file, request);
  const fetched = await downloadPrices(download, {
    ...request,
    startDate: request.downloadFrom,
    maxBytes: maxPriceBytes,
  });
  const prices = parsePrices(decodeUtf8(fetched.bytes, fetched.source), fetched.source, adjusted);
  await savePriceFile(dataDir, ticker, fetched.bytes);
  return { ticker, file, prices };
}

/**
 * The prices of `<data>/prices/TICKER.csv`, or undefined when there is no such file. Throws as `loadPrices` does.
 *
 * @param adjusted scale by the adj close column, where there is one
 */
export async function readPriceFile(
  dataDir: string,
  ticker: string,
  adjusted: boolean,
): Promise<PriceFile | undefined> {
  checkTicker(ticker);
  const file = priceFilePath(dataDir, ticker);
  const bytes = await readFileInside(pricesDir(dataDir), priceFileName(ticker), maxPriceBytes);
  return bytes && { ticker, file, prices: parsePrices(decodeUtf8(bytes, file), file, adjusted) };
}

/**
 * Writes a price file, whole or not at all: under a temporary name in the same directory, then by a rename. The file
 * gets mode 0600, a new directory 0700. Returns its path.
 */
export async function savePriceFile(dataDir: string, ticker: string, bytes: Uint8Array): Promise<string> {
  checkTicker(ticker);
  const directory = pricesDir(dataDir);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = priceFilePath(dataDir, ticker);
  const temporary = join(directory, `.${ticker}.${newShortId()}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return path;
}

/** @throws AgentError `PRICE_FILE_INVALID` when the bytes are not UTF-8 (UTF-16 from a spreadsheet, a ZIP). */
export function decodeUtf8(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AgentError('PRICE_FILE_INVALID', `${source}: it is not UTF-8 text. Save it as CSV in UTF-8.`, false, {
      cause,
    });
  }
}

// The payload's schema has checked the ticker already; this is the last check before it becomes a path.
function checkTicker(ticker: string): void {
  if (tickerPattern.test(ticker)) return;
  throw new AgentError('TICKER_INVALID', `${JSON.stringify(ticker)} is no ticker: it must be ${tickerRule}.`);
}

function notFound(file: string, { ticker, startDate, endDate }: PriceRequest): AgentError {
  return new AgentError(
    'PRICE_DATA_NOT_FOUND',
    `There are no prices for ${ticker}: ${file} does not exist. Put a CSV file there whose header names ${priceHeader}, ` +
      `with daily rows from ${startDate} to ${endDate} (and older ones for the indicators to warm up), or run ` +
      `"agent-runtime prices import FILE --ticker ${ticker}", or set AGENT_RUNTIME_PRICES_URL.`,
  );
}

/** A price file of the data directory: what it holds, or why no backtest can read it. */
export type ListedPrices =
  | { ticker: string; rows: number; first_date: string; last_date: string; adjusted: boolean }
  | { ticker: string; problem: string };

/** All price files `<data>/prices/TICKER.csv`, sorted by ticker; empty if the directory does not exist. */
export async function listPrices(dataDir: string): Promise<{ directory: string; prices: ListedPrices[] }> {
  const directory = pricesDir(dataDir);
  const tickers = (await namesIn(directory)).flatMap((name) => /^(.+)\.csv$/.exec(name)?.[1] ?? []);
  const prices: ListedPrices[] = [];
  for (const ticker of tickers.filter((name) => tickerPattern.test(name)).sort()) {
    prices.push(await describeFile(dataDir, ticker));
  }
  return { directory, prices };
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function describeFile(dataDir: string, ticker: string): Promise<ListedPrices> {
  try {
    const prices = (await readPriceFile(dataDir, ticker, true))?.prices;
    // Deleted since the directory was read, or a dangling link.
    if (!prices) return { ticker, problem: 'The file is not there.' };
    const [first_date = '', last_date = ''] = [prices.dates.at(0), prices.dates.at(-1)];
    return { ticker, rows: prices.dates.length, first_date, last_date, adjusted: prices.isAdjusted };
  } catch (error) {
    if (error instanceof AgentError) return { ticker, problem: error.message };
    throw error;
  }
}

/** Where price files are: `<data>/prices`. */
export const pricesDir = (dataDir: string): string => join(dataDir, 'prices');

/** The file of a ticker, case as given: `<data>/prices/TICKER.csv`. The ticker must fit `tickerPattern`. */
export const priceFileName = (ticker: string): string => `${ticker}.csv`;

export const priceFilePath = (dataDir: string, ticker: string): string =>
  join(pricesDir(dataDir), priceFileName(ticker));
