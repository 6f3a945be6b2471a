import { listPrices } from '../agents/backtest/price-store.js';
import { readConfig } from '../config.js';
import { fetchPrices, importPrices, type StoredPrices } from '../services/import-prices.js';
import type { GlobalFlags } from './global-flags.js';
import { createInterruption } from './interruption.js';
import { type Output, printable } from './output.js';

export interface ImportOptions {
  ticker: string;
  force?: boolean;
}

export async function runPriceImport(
  file: string,
  { ticker, force = false }: ImportOptions,
  flags: GlobalFlags,
  output: Output,
): Promise<void> {
  const { dataDir } = readConfig(flags.settings);
  printKept(await importPrices({ file, ticker, dataDir, mayReplace: force }), flags, output);
}

export async function runPriceList(flags: GlobalFlags, output: Output): Promise<void> {
  const { directory, prices } = await listPrices(readConfig(flags.settings).dataDir);
  if (flags.isJson) {
    output.printJson({ directory, prices, count: prices.length });
    return;
  }
  if (prices.length === 0) output.quote(`No price files found in ${directory}`);
  for (const file of prices) {
    const what =
      'problem' in file
        ? output.paint('red', printable(file.problem))
        : `${file.first_date} to ${file.last_date}  ${String(file.rows).padStart(6)} days${file.adjusted ? '  adjusted' : ''}`;
    output.print(`${file.ticker.padEnd(20)}  ${what}`);
  }
}

export interface FetchOptions {
  ticker: string;
  from: string;
  to: string;
  force?: boolean;
}

export async function runPriceFetch(
  { ticker, from, to, force = false }: FetchOptions,
  flags: GlobalFlags,
  output: Output,
): Promise<void> {
  const { dataDir, pricesUrl, env } = readConfig(flags.settings);
  const interruption = createInterruption(output, { isAnnounced: false });
  try {
    const kept = await fetchPrices({
      ticker,
      startDate: from,
      endDate: to,
      dataDir,
      download: pricesUrl === undefined ? undefined : { urlTemplate: pricesUrl, env },
      mayReplace: force,
      signal: interruption.signal,
    });
    printKept(kept, flags, output);
  } finally {
    interruption.end();
  }
}

/** Prices that now stand in the data directory. */
export function printKept(kept: StoredPrices, { isJson }: GlobalFlags, output: Output): void {
  if (isJson) {
    output.printJson(kept);
    return;
  }
  const { ticker, rows, first_date, last_date, skipped_rows, adjusted, path } = kept;
  const remarks = [
    ...(skipped_rows > 0 ? [`${skipped_rows} rows without prices left out`] : []),
    ...(adjusted ? ['with adjusted closes'] : []),
  ];
  output.print(
    `${ticker}: ${rows} days, ${first_date} to ${last_date}${remarks.map((remark) => `, ${remark}`).join('')}`,
  );
  output.quote(path);
}
