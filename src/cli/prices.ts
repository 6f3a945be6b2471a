import { listPrices } from '../agents/backtest/price-store.js';
import { fetchPrices, importPrices, type StoredPrices } from '../services/import-prices.js';
import type { CommandContext } from './define-command.js';
import { createInterruption } from './interruption.js';
import type { Paint } from './output.js';
import { readSettings } from './read-settings.js';
import { type Column, printTable } from './table.js';

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

export async function listPriceFiles(_: unknown, { flags, output, wantsJson }: CommandContext): Promise<void> {
  const { directory, prices } = await listPrices(readSettings(flags.settings).dataDir);
  if (wantsJson) output.printJson({ directory, prices, count: prices.length });
  else if (prices.length === 0) output.quote(`No price files found in ${directory}`);
  else printTable(output, priceColumns(output.paint), prices);
}

type PriceFile = Awaited<ReturnType<typeof listPrices>>['prices'][number];

const priceColumns = (paint: Paint): Column<PriceFile>[] => [
  { title: 'TICKER', value: ({ ticker }) => ticker },
  { title: 'FROM', value: (file) => ('problem' in file ? '' : file.first_date) },
  { title: 'TO', value: (file) => ('problem' in file ? '' : file.last_date) },
  { title: 'DAYS', value: (file) => ('problem' in file ? '' : String(file.rows)), isNumber: true },
  { title: 'CLOSES', value: (file) => ('problem' in file || !file.adjusted ? '' : 'adjusted') },
  {
    title: 'PROBLEM',
    value: (file) => ('problem' in file ? file.problem : ''),
    isText: true,
    paint: (cell) => paint('red', cell),
  },
];

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
