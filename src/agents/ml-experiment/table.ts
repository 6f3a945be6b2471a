import { cut } from '../../base/text.js';
import { type CsvRow, readCsvRows, readDecimal } from '../csv-rows.js';
import { AgentError } from '../define-agent.js';
import type { Task } from './own-datasets.js';
import type { Tabular } from './tabular.js';

/** What the importer says about the columns of a CSV file. */
export interface TableRules {
  /** The column to predict. */
  target: string;
  /** Chosen from the target's values unless given: classes where they are words, or few whole numbers. */
  task?: Task | undefined;
  /** Columns of numbers that are names of categories, such as a post code. */
  categorical: readonly string[];
  /** Columns whose categories have an order, lowest first: they become 0, 1, 2 and so on. */
  ordinal: Readonly<Record<string, readonly string[]>>;
  /** Columns left out. */
  ignore: readonly string[];
  /**
   * What happens to a row with missing values. `fill`: a missing number becomes the mean of the train rows, a missing
   * category is a category of its own. `drop`: the row is left out.
   */
  missing: 'fill' | 'drop';
}

/** A column as the importer understood it. */
export type ColumnSummary =
  | { name: string; kind: 'number'; missing: number; min: number; max: number }
  | { name: string; kind: 'category' | 'ordinal'; missing: number; categories: string[] };

export interface Table extends Tabular {
  task: Task;
  /** Sorted; numbers by their value. Empty for a numeric target. */
  classes: string[];
  columns: ColumnSummary[];
  rows: number;
  /** Rows left out because of missing values. */
  droppedRows: number;
}

const mostCategories = 100;
const mostClasses = 200;
/** 160 MB as numbers. */
const mostValues = 20_000_000;
/** A target of at most so many different whole numbers is read as classes. */
const fewClasses = 20;

/** Cells that hold no value, in any case. */
export const missingMarks = ['', 'NA', 'N/A', 'NaN', 'null', '?'] as const;
const missingWords: ReadonlySet<string> = new Set(missingMarks.map((mark) => mark.toLowerCase()));
const isMissing = (cell: string): boolean => cell.length <= 4 && missingWords.has(cell.toLowerCase());

/**
 * Reads a CSV file with a header into numbers. Every cell is checked. A column whose values are all numbers is a number;
 * one without any number is a category, one-hot encoded. A mixture is refused, because it is a typing error more often
 * than not: `categorical` says that it is meant.
 *
 * @param source how errors name the text
 * @throws AgentError `DATASET_INVALID` with line and column
 */
export function parseTable(text: string, rules: TableRules, source: string): Table {
  const fail = (reason: string, line?: number, cause?: unknown) => invalidTable(source, reason, line, cause);
  const [header, ...allRows] = readCsvRows(text, fail);
  if (!header) throw fail('it is empty; its first line must name the columns');
  checkHeader(header, rules, fail);
  const used = header.cells.flatMap((name, index) => (rules.ignore.includes(name) ? [] : [{ name, index }]));
  const rows =
    rules.missing === 'drop'
      ? allRows.filter(({ cells }) => !used.some(({ index }) => isMissing(cells[index] ?? '')))
      : allRows;
  if (rows.length < 4) throw fail(`it has ${rows.length} rows with values; at least 4 are needed`);

  const place = used.findIndex(({ name }) => name === rules.target);
  const target = readTarget(new Cells(used[place] ?? { name: rules.target, index: 0 }, rows, fail), rules);
  const features = used.filter((_, index) => index !== place);
  if (features.length === 0) throw fail(`it has no column but ${rules.target}; there is nothing to predict it by`);
  const read = features.map((column) => readColumn(new Cells(column, rows, fail), rules));
  const inputs = read.reduce((sum, column) => sum + column.width, 0);
  if (inputs * rows.length > mostValues) {
    throw fail(`${rows.length} rows of ${inputs} inputs are ${inputs * rows.length} values; at most ${mostValues} fit`);
  }
  return {
    ...target,
    ...encode(read, inputs, rows.length),
    columns: read.map(({ summary }) => summary),
    rows: rows.length,
    droppedRows: allRows.length - rows.length,
  };
}

type Fail = (reason: string, line?: number, cause?: unknown) => AgentError;

function checkHeader({ cells, line }: CsvRow, rules: TableRules, fail: Fail): void {
  const nameless = cells.indexOf('');
  if (nameless >= 0) throw fail(`column ${nameless + 1} has no name`, line);
  const twice = cells.find((name, index) => cells.indexOf(name) !== index);
  if (twice !== undefined) throw fail(`the header names ${quote(twice)} twice`, line);
  const named = [rules.target, ...rules.categorical, ...Object.keys(rules.ordinal), ...rules.ignore];
  const unknown = named.find((name) => !cells.includes(name));
  if (unknown !== undefined) {
    throw fail(`there is no column ${quote(unknown)}; the header names ${cells.map(quote).join(', ')}`, line);
  }
  if (rules.ignore.includes(rules.target)) throw fail(`the target ${quote(rules.target)} cannot be left out`);
}

/** The cells of one column, with their place for messages. */
class Cells {
  readonly name: string;
  readonly length: number;
  readonly #index: number;
  readonly #rows: readonly CsvRow[];
  readonly #fail: Fail;

  constructor({ name, index }: { name: string; index: number }, rows: readonly CsvRow[], fail: Fail) {
    this.name = name;
    this.length = rows.length;
    this.#index = index;
    this.#rows = rows;
    this.#fail = fail;
  }

  at(row: number): string {
    return this.#rows[row]?.cells[this.#index] ?? '';
  }

  /** The first row that is so, or -1. */
  find(isSo: (cell: string) => boolean): number {
    return this.#rows.findIndex(({ cells }) => isSo(cells[this.#index] ?? ''));
  }

  /** The different values, missing ones aside. */
  values(): string[] {
    const values = new Set<string>();
    for (let row = 0; row < this.length; row++) if (!isMissing(this.at(row))) values.add(this.at(row));
    return [...values];
  }

  wrong(reason: string, row?: number): AgentError {
    if (row === undefined) return this.#fail(`column ${this.#index + 1} (${this.name}) ${reason}`);
    return this.#fail(`column ${this.#index + 1} (${this.name}) ${reason}`, this.#rows[row]?.line);
  }
}

const isNumber = (cell: string): boolean => !Number.isNaN(readDecimal(cell));

function readTarget(cells: Cells, rules: TableRules): Pick<Table, 'task' | 'classes' | 'labels'> {
  const empty = cells.find(isMissing);
  if (empty >= 0)
    throw cells.wrong('is the target and has no value; correct the row, or import with --missing drop', empty);
  const values = cells.values();
  const areNumbers = values.every(isNumber);
  const isFew = values.length <= fewClasses && values.every((value) => Number.isInteger(Number(value)));
  const task = rules.task ?? (areNumbers && !isFew ? 'regression' : 'classification');
  if (task === 'regression') {
    const wrong = cells.find((cell) => !isNumber(cell));
    if (wrong >= 0)
      throw cells.wrong(`is ${quote(cells.at(wrong))}, not a number; a regression predicts numbers`, wrong);
    return {
      task,
      classes: [],
      labels: Float64Array.from({ length: cells.length }, (_, row) => Number(cells.at(row))),
    };
  }
  const classes = areNumbers ? values.sort((a, b) => Number(a) - Number(b)) : values.sort();
  if (classes.length < 2)
    throw cells.wrong(`is ${quote(classes[0] ?? '')} in every row; there is nothing to tell apart`);
  if (classes.length > mostClasses) {
    throw cells.wrong(
      `has ${classes.length} different values, too many for classes (at most ${mostClasses}); is it a regression?`,
    );
  }
  const labels = Uint8Array.from({ length: cells.length }, (_, row) => classes.indexOf(cells.at(row)));
  const single = classes.findIndex((_, index) => labels.indexOf(index) === labels.lastIndexOf(index));
  if (single >= 0) {
    throw cells.wrong(
      `is ${quote(classes[single] ?? '')} in this row alone; a class needs a row to train and one to test`,
      labels.indexOf(single),
    );
  }
  return { task, classes, labels };
}

interface ReadColumn {
  summary: ColumnSummary;
  /** How many inputs it becomes. */
  width: number;
  isFlag: boolean;
  /** Writes its inputs of one row. */
  write(into: Float64Array, offset: number, row: number): void;
}

function readColumn(cells: Cells, rules: TableRules): ReadColumn {
  const levels = rules.ordinal[cells.name];
  if (levels) return readOrdinal(cells, levels);
  const values = cells.values();
  if (values.length === 0) throw cells.wrong('has no value; leave it out with --ignore');
  if (rules.categorical.includes(cells.name)) return readCategory(cells, values);
  const numbers = values.filter(isNumber).length;
  if (numbers === 0) return readCategory(cells, values);
  if (numbers === values.length) return readNumber(cells);
  const wrong = cells.find((cell) => !isNumber(cell) && !isMissing(cell));
  throw cells.wrong(
    `is ${quote(cells.at(wrong))}, not a number, and other rows have numbers; correct it, or import with --categorical ${cells.name}`,
    wrong,
  );
}

function countMissing(cells: Cells): number {
  let missing = 0;
  for (let row = 0; row < cells.length; row++) if (isMissing(cells.at(row))) missing++;
  return missing;
}

function readNumber(cells: Cells): ReadColumn {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const values = Float64Array.from({ length: cells.length }, (_, row) => readDecimal(cells.at(row)));
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return {
    summary: { name: cells.name, kind: 'number', missing: countMissing(cells), min, max },
    width: 1,
    isFlag: false,
    write: (into, offset, row) => {
      into[offset] = values[row] ?? Number.NaN;
    },
  };
}

function readOrdinal(cells: Cells, levels: readonly string[]): ReadColumn {
  const wrong = cells.find((cell) => !isMissing(cell) && !levels.includes(cell));
  if (wrong >= 0) throw cells.wrong(`is ${quote(cells.at(wrong))}, none of ${levels.map(quote).join(', ')}`, wrong);
  return {
    summary: { name: cells.name, kind: 'ordinal', missing: countMissing(cells), categories: [...levels] },
    width: 1,
    isFlag: false,
    write: (into, offset, row) => {
      const level = levels.indexOf(cells.at(row));
      into[offset] = level < 0 ? Number.NaN : level;
    },
  };
}

/** One-hot: an input of 0 or 1 for each category, and one for missing values where there are any. */
function readCategory(cells: Cells, values: string[]): ReadColumn {
  if (values.length > mostCategories) {
    throw cells.wrong(
      `has ${values.length} different values, too many for categories (at most ${mostCategories}); leave it out with --ignore ${cells.name}`,
    );
  }
  const categories = values.sort();
  const placeOf = new Map(categories.map((category, place) => [category, place]));
  const missing = countMissing(cells);
  return {
    summary: { name: cells.name, kind: 'category', missing, categories },
    width: categories.length + Number(missing > 0),
    isFlag: true,
    write: (into, offset, row) => {
      into[offset + (placeOf.get(cells.at(row)) ?? categories.length)] = 1;
    },
  };
}

function encode(columns: readonly ReadColumn[], inputs: number, rows: number) {
  const features = new Float64Array(rows * inputs);
  let offset = 0;
  for (const column of columns) {
    for (let row = 0; row < rows; row++) column.write(features, row * inputs + offset, row);
    offset += column.width;
  }
  return { inputs, features, isFlag: columns.flatMap(({ isFlag, width }) => Array<boolean>(width).fill(isFlag)) };
}

const quote = (text: string): string => JSON.stringify(cut(text, 60));

/** @param source the file, or the data set */
export function invalidTable(source: string, reason: string, line?: number, cause?: unknown): AgentError {
  const place = line === undefined ? source : `${source}, line ${line}`;
  return new AgentError('DATASET_INVALID', `${place}: ${reason}.`, false, { cause });
}
