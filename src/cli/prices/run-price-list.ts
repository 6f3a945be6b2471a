import { listPrices } from '../../agents/backtest/price-list.js';
import { readConfig } from '../../config.js';
import type { GlobalFlags } from '../global-flags.js';
import { type Output, printable } from '../output.js';

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
