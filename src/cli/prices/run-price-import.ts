import { readConfig } from '../../base/config.js';
import { importPrices } from '../../services/import-prices.js';
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
