import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newShortId } from '../../base/ids.js';
import { AgentError } from '../define-agent.js';
import { type Prices, parsePrices, priceHeader } from './price-csv.js';
import { downloadPrices, type PriceDownload } from './price-download.js';
import { readFileInside } from './regular-file.js';
import { priceFileName, priceFilePath, pricesDir, tickerPattern, tickerRule } from './ticker.js';

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
  /** The range wanted, named when there is no file and no way to get one. */
  startDate: string;
  endDate: string;
  /** The first date to download: earlier than startDate by what the indicators need to warm up. */
  downloadFrom: string;
  /** Used only when the file is missing. */
  download: PriceDownload | undefined;
  signal: AbortSignal;
}

/**
 * Reads `<data>/prices/TICKER.csv`. When it is missing and a download is configured, it is fetched and kept first.
 *
 * @throws AgentError `PRICE_DATA_NOT_FOUND`, `PRICE_FILE_INVALID` (see `parsePrices`), `FILE_NOT_ALLOWED`,
 *   `FILE_TOO_LARGE`, `PRICE_DOWNLOAD_FAILED`, `PRICES_URL_INVALID` (see `downloadPrices`).
 */
export async function loadPrices(request: PriceRequest): Promise<PriceFile> {
  const { dataDir, ticker, adjusted, download } = request;
  const kept = await readPriceFile(dataDir, ticker, adjusted);
  if (kept) return kept;
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
 * Puts a price file in its place, whole or not at all: a temporary name in the same directory, then a rename. The file
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

// The payload's schema has checked it already; this is the last door before it becomes a path.
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
