import { isObject, type JsonObject, readJson } from '../../../base/json.js';
import type { Connection, PreparedStatement } from '../connection.js';

type Value = string | number | null;

/** A function that inserts rows into one of our tables. All rows have the same columns. */
export function inserter(connection: Connection, table: string) {
  let statement: PreparedStatement | undefined;
  return (row: Record<string, Value>) => {
    const columns = Object.keys(row);
    statement ??= connection.prepare<unknown[]>(
      `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    );
    statement.run(...Object.values(row));
  };
}

export function textOf(cell: unknown): string | null {
  if (cell === null || cell === undefined) return null;
  return typeof cell === 'string' ? cell : String(cell);
}

export function numberOf(cell: unknown, otherwise: number): number;
export function numberOf(cell: unknown, otherwise: null): number | null;
export function numberOf(cell: unknown, otherwise: number | null): number | null {
  const number = typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : cell;
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise;
}

export function integerOf(cell: unknown, otherwise: number): number;
export function integerOf(cell: unknown, otherwise: null): number | null;
export function integerOf(cell: unknown, otherwise: number | null): number | null {
  const number = Math.trunc(numberOf(cell, Number.NaN));
  return Number.isSafeInteger(number) ? number : otherwise;
}

/**
 * Epoch milliseconds of a time as the earlier server wrote it: SQLite's `YYYY-MM-DD HH:MM:SS`, which is UTC, or
 * Python's `YYYY-MM-DDTHH:MM:SS.ffffff`, which is the machine's local time.
 */
export function timeOf(cell: unknown): number | null {
  if (typeof cell !== 'string') return null;
  const parsed = Date.parse(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(cell) ? `${cell.replace(' ', 'T')}Z` : cell);
  return Number.isNaN(parsed) ? null : parsed;
}

/** The cell as one of these words, in lower case, if it is one. */
export function wordOf<Word extends string>(words: readonly Word[], cell: unknown): Word | undefined {
  const found = textOf(cell)?.toLowerCase();
  return words.find((word) => word === found);
}

export function arrayOf(cell: unknown): unknown[] {
  const value = parsed(cell);
  return Array.isArray(value) ? value : [];
}

/** The object that the cell is, or has as JSON; an empty one for anything else. */
export function objectOf(cell: unknown): JsonObject {
  const value = typeof cell === 'object' ? cell : parsed(cell);
  return isObject(value) ? value : {};
}

/** The text of a cell that is not JSON of this shape, so that it can be kept; undefined where it is. */
export function unreadable(cell: unknown, shape: 'array' | 'object'): string | undefined {
  const text = textOf(cell);
  if (text === null || text === '') return undefined;
  const value = parsed(text);
  return (shape === 'array' ? Array.isArray(value) : isObject(value)) ? undefined : text;
}

function parsed(cell: unknown): unknown {
  try {
    return typeof cell === 'string' ? readJson<unknown>(cell) : null;
  } catch {
    return null;
  }
}
