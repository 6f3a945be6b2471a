import { importPrices } from '../../agents/backtest/price-import.js';
import { readConfig } from '../../config.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { printKept } from './print-kept.js';

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
