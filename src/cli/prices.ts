import { listPrices } from '../agents/backtest/price-store.js';
import { fetchPrices, importPrices, type StoredPrices } from '../services/import-prices.js';
import type { CommandContext } from './define-command.js';
import { createInterruption } from './interruption.js';
import { printable } from './output.js';
import { readSettings } from './read-settings.js';

export interface ImportOptions {
  file: string;
  ticker: string;
  force: boolean;
}

/** Stores a copy of a CSV file of daily prices. */
export async function importPriceFile({ file, ticker, force }: ImportOptions, context: CommandContext): Promise<void> {
  const { dataDir } = readSettings(context.flags.settings);
  printStored(await importPrices({ file, ticker, dataDir, mayReplace: force }), context);
}

export async function listPriceFiles(_: unknown, { flags, output }: CommandContext): Promise<void> {
  const { directory, prices } = await listPrices(readSettings(flags.settings).dataDir);
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
  /** First and last day, YYYY-MM-DD. */
  from: string;
  to: string;
  force: boolean;
}

/** Downloads daily prices and stores them. */
export async function fetchPriceFile(
  { ticker, from, to, force }: FetchOptions,
  context: CommandContext,
): Promise<void> {
  const { dataDir, pricesUrl, env } = readSettings(context.flags.settings);
  const interruption = createInterruption(context.output, { isAnnounced: false });
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
    printStored(kept, context);
  } finally {
    interruption.end();
  }
}

/** Prints which prices are now in the data directory, and where. */
function printStored(kept: StoredPrices, { flags, output }: CommandContext): void {
  if (flags.isJson) {
    output.printJson(kept);
    return;
  }
  const { ticker, rows, first_date, last_date, skipped_rows, adjusted, path } = kept;
  const remarks = [
    ...(skipped_rows > 0 ? [`${skipped_rows} rows without prices skipped`] : []),
    ...(adjusted ? ['with adjusted closes'] : []),
  ];
  output.print(
    `${ticker}: ${rows} days, ${first_date} to ${last_date}${remarks.map((remark) => `, ${remark}`).join('')}`,
  );
  output.quote(path);
}
