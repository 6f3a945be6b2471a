import { rowOf } from './insert-row.js';
import type { Sql, Value } from './sql.js';

/**
 * Sets columns of the one row with these key columns, each named beside its value, and resolves to the row as it is then.
 * Throws an Error when there is no such row. The table and the columns are our own names, never input.
 */
export async function updateRow<Row>(
  sql: Sql,
  table: string,
  key: Readonly<Record<string, Value>>,
  changes: Readonly<Record<string, Value>>,
): Promise<Row> {
  const set = assignments(changes).join(', ');
  const text = `update ${table} set ${set} where ${assignments(key).join(' and ')} returning *`;
  return rowOf(await sql.get<Row>(text, ...Object.values(changes), ...Object.values(key)));
}

const assignments = (columns: object): string[] => Object.keys(columns).map((column) => `${column} = ?`);
