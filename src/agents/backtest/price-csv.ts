import { cut } from '../../base/text.js';
import { type CsvRow, readCsvRows, readDecimal } from '../csv-rows.js';
import { AgentError } from '../define-agent.js';

/** Daily prices of one ticker, oldest first. The three arrays are parallel; prices are in the file's own currency. */
export interface Prices {
  /** `YYYY-MM-DD`, each once. */
  dates: string[];
  open: number[];
  close: number[];
  /** Rows of the file that held no prices (`null`, empty or `N/D`) and were left out. */
  skippedRows: number;
  /** Whether open and close were scaled by adj close / close. */
  isAdjusted: boolean;
}

/** The columns that the first line of a price file must name, in any order and any case. */
export const priceHeader = 'date, open, high, low, close[, adj close][, volume]';

/**
 * Reads a price file's text: CSV with a header, one row a day, in any order.
 *
 * Rows without prices are skipped and counted. With `adjusted`, and when the file has an adj close column (also spelt
 * `adjClose`, `adj_close`, `adjusted close`), open and close are scaled by adj close / close.
 *
 * @param source how errors name the text: its path, or the host that it came from.
 * @throws AgentError `PRICE_FILE_INVALID` with the line number: not CSV, a column missing, a ragged row, a value that is
 *   not a number, a price of 0 or less, high below low, a date that is invalid or occurs twice.
 */
export function parsePrices(text: string, source: string, adjusted: boolean): Prices {
  const [header, ...rows] = readCsvRows(text, (reason, line, cause) => invalid(source, reason, line, cause));
  if (header === undefined) throw invalid(source, `it is empty; its first line must name ${priceHeader}`);
  const columns = findColumns(header, source);
  const days: Day[] = [];
  for (const row of rows) {
    const day = readDay(row, columns, adjusted, source);
    if (day) days.push(day);
  }
  if (days.length === 0) throw invalid(source, 'it has no row with prices');
  days.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : a.line - b.line));
  refuseDuplicates(days, source);
  return {
    dates: days.map((day) => day.date),
    open: days.map((day) => day.open),
    close: days.map((day) => day.close),
    skippedRows: rows.length - days.length,
    isAdjusted: adjusted && columns.adjustedClose !== undefined,
  };
}

interface Day {
  line: number;
  date: string;
  open: number;
  close: number;
}

interface Columns {
  date: number;
  open: number;
  high: number;
  low: number;
  close: number;
  adjustedClose: number | undefined;
}

const adjustedCloseNames = ['adj close', 'adjclose', 'adj_close', 'adjusted close', 'adjusted_close'];

function findColumns({ cells, line }: CsvRow, source: string): Columns {
  const names = cells.map((cell) => cell.toLowerCase());
  const find = (wanted: string[]): number | undefined => {
    const found = names.flatMap((name, index) => (wanted.includes(name) ? [index] : []));
    if (found.length > 1) throw invalid(source, `the header names ${wanted[0]} ${found.length} times`, line);
    return found[0];
  };
  const need = (name: string): number => {
    const index = find([name]);
    if (index !== undefined) return index;
    throw invalid(
      source,
      `the header has no ${name}; it must name ${priceHeader}, and is ${quote(cells.join(','))}`,
      line,
    );
  };
  return {
    date: need('date'),
    open: need('open'),
    high: need('high'),
    low: need('low'),
    close: need('close'),
    adjustedClose: find(adjustedCloseNames),
  };
}

/** One row as a day, or undefined for a day without prices. */
function readDay({ cells, line }: CsvRow, columns: Columns, adjusted: boolean, source: string): Day | undefined {
  const adjustedColumn = adjusted ? columns.adjustedClose : undefined;
  const used = [columns.open, columns.high, columns.low, columns.close, adjustedColumn ?? columns.close];
  if (used.some((column) => isBlank(cells[column] ?? ''))) return undefined;
  const price = (name: string, column: number) => readPrice(cells[column] ?? '', name, line, source);
  const date = readDate(cells[columns.date] ?? '', line, source);
  const open = price('open', columns.open);
  const high = price('high', columns.high);
  const low = price('low', columns.low);
  const close = price('close', columns.close);
  if (high < low) throw invalid(source, `high ${high} is below low ${low}`, line);
  if (adjustedColumn === undefined) return { line, date, open, close };
  const factor = price('adj close', adjustedColumn) / close;
  return { line, date, open: open * factor, close: close * factor };
}

function isBlank(cell: string): boolean {
  return cell === '' || /^(null|n\/d)$/i.test(cell);
}

function readPrice(cell: string, name: string, line: number, source: string): number {
  const price = readDecimal(cell);
  if (Number.isNaN(price)) throw invalid(source, `${name} is ${quote(cell)}, not a number`, line);
  if (price <= 0) throw invalid(source, `${name} is ${cell}; a price must be above 0`, line);
  return price;
}

/** An ISO date, with or without the midnight that some exports append. */
function readDate(cell: string, line: number, source: string): string {
  const date = /^(\d{4}-\d\d-\d\d)([T ]00:00(:00(\.0+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(cell)?.[1];
  const time = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`);
  // The round trip refuses 2023-02-30, which Date.parse reads as a day of March.
  if (date === undefined || Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date) {
    throw invalid(source, `date is ${quote(cell)}, not YYYY-MM-DD`, line);
  }
  return date;
}

function refuseDuplicates(days: Day[], source: string): void {
  let previous: Day | undefined;
  for (const day of days) {
    if (previous?.date === day.date) {
      throw invalid(source, `date ${day.date} is already on line ${previous.line}`, day.line);
    }
    previous = day;
  }
}

const quote = (text: string): string => JSON.stringify(cut(text, 60));

function invalid(source: string, reason: string, line?: number, cause?: unknown): AgentError {
  const place = line === undefined ? source : `${source}, line ${line}`;
  return new AgentError('PRICE_FILE_INVALID', `${place}: ${reason}.`, false, { cause });
}
