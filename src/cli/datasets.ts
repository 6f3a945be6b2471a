import {
  type ListedOwn,
  listOwn,
  type OwnDataset,
  ownCsvPath,
  type Task,
} from '../agents/ml-experiment/own-datasets.js';
import { systemClock } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import { fetchDataset } from '../services/fetch-dataset.js';
import { importDataset, removeDataset, showDataset } from '../services/import-dataset.js';
import type { RemoteName } from '../services/remote-datasets.js';
import type { CommandContext } from './define-command.js';
import { createInterruption } from './interruption.js';
import type { Paint } from './output.js';
import { readSettings } from './read-settings.js';
import { type Column, printTable } from './table.js';

export interface ImportOptions {
  name: string;
  file: string;
  target: string;
  task: string | undefined;
  categorical: string[];
  /** `column=lowest,...,highest`. */
  ordinal: string[];
  ignore: string[];
  missing: string | undefined;
  force: boolean;
}

/** Stores a checked copy of a CSV file, for training jobs. */
export async function importOwn(options: ImportOptions, context: CommandContext): Promise<void> {
  const { name, file, target, task, categorical, ordinal, ignore, missing = 'fill', force } = options;
  const { dataDir } = readSettings(context.flags.settings);
  const kept = await importDataset({
    name,
    file,
    dataDir,
    mayReplace: force,
    clock: systemClock(),
    rules: {
      target,
      task: task as Task | undefined,
      categorical,
      ordinal: Object.fromEntries(ordinal.map(readLevels)),
      ignore,
      missing: missing === 'drop' ? 'drop' : 'fill',
    },
  });
  print(kept, dataDir, context);
}

function readLevels(option: string): [string, string[]] {
  const [column = '', levels] = option.split('=', 2);
  const named = (levels ?? '').split(',').map((level) => level.trim());
  if (column !== '' && named.length > 1 && named.every((level) => level !== '')) return [column.trim(), named];
  throw new RuntimeError('invalid', `--ordinal ${option} names no order.`, 'Write it as size=small,medium,large.');
}

/** Downloads a public data set. */
export async function fetchRemote(
  { name, force }: { name: string; force: boolean },
  context: CommandContext,
): Promise<void> {
  const { flags, output } = context;
  const { dataDir } = readSettings(flags.settings);
  const interruption = createInterruption(output, { isAnnounced: false });
  try {
    const fetched = await fetchDataset({
      name: name as RemoteName,
      dataDir,
      mayReplace: force,
      signal: interruption.signal,
      onFile({ name: file, bytes }, from) {
        const rest = from > 0 ? `, from byte ${from} on` : '';
        if (!flags.isQuiet) output.say(`${file}, ${bytes} bytes${rest}`);
      },
    });
    if (flags.isJson) output.printJson(fetched);
    else output.quote(`${fetched.name}: ${fetched.files.length} files in ${fetched.directory}`);
  } finally {
    interruption.end();
  }
}

export function listDatasets(_: unknown, { flags, output, wantsJson }: CommandContext): void {
  const datasets = listOwn(readSettings(flags.settings).dataDir);
  if (wantsJson) output.printJson({ datasets, count: datasets.length });
  else if (datasets.length === 0) output.print('No data sets were imported.');
  else printTable(output, listColumns(output.paint), datasets);
}

const listColumns = (paint: Paint): Column<ListedOwn>[] => [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'TASK', value: (one) => ('problem' in one ? '' : one.task) },
  { title: 'TARGET', value: (one) => ('problem' in one ? '' : one.target) },
  { title: 'ROWS', value: (one) => ('problem' in one ? '' : String(one.rows)), isNumber: true },
  { title: 'INPUTS', value: (one) => ('problem' in one ? '' : String(one.inputs)), isNumber: true },
  { title: 'IMPORTED', value: (one) => ('problem' in one ? '' : one.imported_at.slice(0, 10)) },
  {
    title: 'PROBLEM',
    value: (one) => ('problem' in one ? one.problem : ''),
    isText: true,
    paint: (cell) => paint('red', cell),
  },
];

export function showOwn({ name }: { name: string }, context: CommandContext): void {
  const { dataDir } = readSettings(context.flags.settings);
  print(showDataset(dataDir, name), dataDir, context);
}

export function removeOne({ name }: { name: string }, { flags, output }: CommandContext): void {
  removeDataset(readSettings(flags.settings).dataDir, name);
  if (flags.isJson) output.printJson({ name, removed: true });
  else output.print(`Removed: ${name}`);
}

/** Prints how a data set was understood. */
function print(dataset: OwnDataset, dataDir: string, { flags, output }: CommandContext): void {
  const path = ownCsvPath(dataDir, dataset.name);
  if (flags.isJson) {
    output.printJson({ ...dataset, path });
    return;
  }
  const { name, task, target, classes, rows, dropped_rows, inputs, columns } = dataset;
  const dropped = dropped_rows > 0 ? ` (${dropped_rows} with missing values left out)` : '';
  const wanted = classes.length > 0 ? `${target}: ${classes.join(', ')}` : `${target}, a number`;
  output.print(`${name}: ${rows} rows${dropped}, ${columns.length} columns, ${inputs} inputs`);
  output.quote(`${task} of ${wanted}`);
  printTable(output, columnColumns, columns);
  output.quote(path);
}

const columnColumns: Column<OwnDataset['columns'][number]>[] = [
  { title: 'COLUMN', value: ({ name }) => name },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'MISSING', value: ({ missing }) => (missing === 0 ? '' : String(missing)), isNumber: true },
  {
    title: 'VALUES',
    value: (column) => (column.kind === 'number' ? `${column.min} to ${column.max}` : column.categories.join(', ')),
    isText: true,
  },
];
