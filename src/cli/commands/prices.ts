import { defineCommand } from '../define-command.js';
import { argument, flag, requiredText } from '../options.js';

const force = flag('--force', 'also replace prices that exist already');

/** The price files that backtests read. */
export const pricesCommands = [
  defineCommand({
    name: 'import',
    description: 'Check a CSV file of daily prices, and store a copy under the name of its ticker.',
    arguments: {
      file: argument('CSV with a header that names date, open, high, low, close[, adj close][, volume]'),
    },
    options: { ticker: requiredText('--ticker <ticker>', 'the name that backtests give it'), force },
    load: async () => (await import('../prices.js')).importPriceFile,
  }),
  defineCommand({
    name: 'list',
    description: 'List the stored price files with their dates.',
    load: async () => (await import('../prices.js')).listPriceFiles,
  }),
  defineCommand({
    name: 'fetch',
    description: 'Download daily prices from the address in AGENT_RUNTIME_PRICES_URL.',
    options: {
      ticker: requiredText('--ticker <ticker>', 'which prices'),
      from: requiredText('--from <date>', 'first day, YYYY-MM-DD'),
      to: requiredText('--to <date>', 'last day, YYYY-MM-DD'),
      force,
    },
    load: async () => (await import('../prices.js')).fetchPriceFile,
  }),
];
