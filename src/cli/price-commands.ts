import type { Command } from 'commander';
import { globalFlagsOf } from './global-flags.js';
import type { Output } from './output.js';
import type { FetchOptions, ImportOptions } from './prices.js';

/** The price files that backtests read. */
export function addPriceCommands(program: Command, output: Output): void {
  const prices = program.command('prices').description('The price files that backtests read.');

  prices
    .command('import')
    .description("Check a CSV file of daily prices, and keep a copy under a ticker's name.")
    .argument('<file>', 'CSV with a header that names date, open, high, low, close[, adj close][, volume]')
    .requiredOption('--ticker <ticker>', 'the name that backtests give it')
    .option('--force', 'also in place of prices that are already there')
    .action(async (file: string, options: ImportOptions, command: Command) => {
      const { runPriceImport } = await import('./prices.js');
      await runPriceImport(file, options, globalFlagsOf(command), output);
    });

  prices
    .command('list')
    .description('List the price files there are, with their dates.')
    .action(async (_options: unknown, command: Command) => {
      const { runPriceList } = await import('./prices.js');
      await runPriceList(globalFlagsOf(command), output);
    });

  prices
    .command('fetch')
    .description('Download daily prices from the address that AGENT_RUNTIME_PRICES_URL names.')
    .requiredOption('--ticker <ticker>', 'which prices')
    .requiredOption('--from <date>', 'first day, YYYY-MM-DD')
    .requiredOption('--to <date>', 'last day, YYYY-MM-DD')
    .option('--force', 'also in place of prices that are already there')
    .action(async (options: FetchOptions, command: Command) => {
      const { runPriceFetch } = await import('./prices.js');
      await runPriceFetch(options, globalFlagsOf(command), output);
    });
}
