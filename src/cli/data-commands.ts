import { remoteNames } from '../services/remote-datasets.js';
import { type CommandSet, defineCommand } from './define-command.js';
import { argument, choice, flag, list, requiredText } from './options.js';

const force = flag('--force', 'also replace prices that exist already');

/** The price files that backtests read. */
const pricesCommands = [
  defineCommand({
    name: 'import',
    description: 'Check a CSV file of daily prices, and store a copy under the name of its ticker.',
    arguments: {
      file: argument('CSV with a header that names date, open, high, low, close[, adj close][, volume]'),
    },
    options: { ticker: requiredText('--ticker <ticker>', 'the name that backtests give it'), force },
    load: async () => (await import('./prices.js')).importPriceFile,
  }),
  defineCommand({
    name: 'list',
    description: 'List the stored price files with their dates.',
    load: async () => (await import('./prices.js')).listPriceFiles,
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
    load: async () => (await import('./prices.js')).fetchPriceFile,
  }),
];

const dataset = argument('the name that jobs give it as dataset');

/** The tables that training jobs learn from. */
const datasetCommands = [
  defineCommand({
    name: 'import',
    description: 'Check a CSV file of your own, and store a copy that ml_experiment jobs can learn from.',
    arguments: { name: dataset, file: argument('CSV with commas whose first line names the columns') },
    options: {
      target: requiredText('--target <column>', 'the column to predict'),
      task: choice('--task <task>', 'what the target is; by default its values tell', ['classification', 'regression']),
      categorical: list('--categorical <column>', 'read its numbers as names; repeat it for more'),
      ordinal: list('--ordinal <column=a,b,c>', 'categories with an order, lowest first; repeat it for more'),
      ignore: list('--ignore <column>', 'leave a column out; repeat it for more'),
      missing: choice('--missing <rule>', 'rows with missing values: fill (the default) or drop', ['fill', 'drop']),
      force: flag('--force', 'also replace a data set of this name'),
    },
    helpAfter: `
A column of numbers is one input; a column of words is one-hot encoded. Missing are empty cells, NA, N/A, NaN, null and ?.
With fill, a missing number becomes the mean of the training rows, and a missing word a category of its own.
`,
    load: async () => (await import('./datasets.js')).importOwn,
  }),
  defineCommand({
    name: 'fetch',
    description:
      'Download a public data set and compare it with its checksum; run again, it goes on where it broke off.',
    arguments: { name: argument('mnist (12 MB) or cifar10 (170 MB)', remoteNames) },
    options: { force: flag('--force', 'also when it is there already') },
    load: async () => (await import('./datasets.js')).fetchRemote,
  }),
  defineCommand({
    name: 'list',
    description: 'List the imported data sets, and which of them were changed since.',
    load: async () => (await import('./datasets.js')).listDatasets,
  }),
  defineCommand({
    name: 'show',
    description: 'Show how the columns of a data set were understood.',
    arguments: { name: dataset },
    load: async () => (await import('./datasets.js')).showOwn,
  }),
  defineCommand({
    name: 'remove',
    description: 'Delete an imported data set.',
    arguments: { name: dataset },
    load: async () => (await import('./datasets.js')).removeOne,
  }),
];

/** What jobs read: prices and data sets. */
export const dataCommands: readonly CommandSet[] = [
  { name: 'prices', description: 'Manage the price files that backtests read.', commands: pricesCommands },
  { name: 'datasets', description: 'Manage the data sets that training jobs learn from.', commands: datasetCommands },
];
