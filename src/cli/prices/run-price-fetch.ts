import { fetchPrices } from '../../agents/backtest/price-fetch.js';
import { readConfig } from '../../config.js';
import type { GlobalFlags } from '../global-flags.js';
import { createInterruption } from '../interruption.js';
import type { Output } from '../output.js';
import { printKept } from './print-kept.js';

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
