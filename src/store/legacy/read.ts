import { type JsonObject, readJson } from '../../base/json.js';
import type { Connection } from '../driver.js';

/**
 * Epoch milliseconds of a time as the earlier server wrote it: SQLite's `YYYY-MM-DD HH:MM:SS`, which is UTC, or
 * Python's `YYYY-MM-DDTHH:MM:SS.ffffff`, which is the machine's local time.
 */
export function parseLegacyTime(text: string | null): number | null {
  if (!text) return null;
  const parsed = Date.parse(text.includes('T') ? text : `${text.replace(' ', 'T')}Z`);
  return Number.isNaN(parsed) ? null : parsed;
}

export function inserter(connection: Connection, table: string) {
  return (row: Record<string, string | number | null>) => {
    const columns = Object.keys(row);
    connection
      .prepare(`insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
      .run(...Object.values(row));
  };
}

export function oneOf<Word extends string>(words: readonly Word[], found: string | null, otherwise: Word): Word {
  return words.find((word) => word === found?.toLowerCase()) ?? otherwise;
}

export function arrayOf<Item>(text: string | null): Item[] {
  const value = parseOrNull(text);
  return Array.isArray(value) ? (value as Item[]) : [];
}

export function objectOf(text: string | null): JsonObject {
  const value = parseOrNull(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function parseOrNull(text: string | null): unknown {
  try {
    return text === null ? null : readJson<unknown>(text);
  } catch {
    return null;
  }
}
