import type { Sql, Value } from './sql.js';

/**
 * Inserts one row, each column named beside its value, and resolves to the row as stored, its defaults filled in. The
 * table and the columns are our own names, never input; give the same columns each time, as each set is a statement.
 */
export async function insertRow<Row>(sql: Sql, table: string, row: Readonly<Record<string, Value>>): Promise<Row> {
  const columns = Object.keys(row);
  const text = `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')}) returning *`;
  return rowOf(await sql.get<Row>(text, ...Object.values(row)));
}

/** A row that is known to be there: this transaction wrote it, or checked the reference to it. */
export function rowOf<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('A row that was just written is gone.');
  return row;
}
