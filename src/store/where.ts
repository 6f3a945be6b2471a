import type { Sql, Value } from './sql.js';

/** A part of a statement with the values of its `?`, in order. */
export interface Fragment {
  text: string;
  values: readonly Value[];
}

/**
 * The `where` of all conditions that are given; those that are `undefined` or `false` are left out.
 *
 *     const found = where(status !== undefined && is('status = ?', status), is('id < ?', beforeId));
 *     await sql.all(`select * from tasks ${found.text} order by id`, ...found.values);
 */
export function where(...conditions: readonly (Fragment | undefined | false)[]): Fragment {
  const given = conditions.filter((condition) => condition !== undefined && condition !== false);
  if (given.length === 0) return { text: '', values: [] };
  return {
    text: `where ${given.map(({ text }) => text).join(' and ')}`,
    values: given.flatMap(({ values }) => values),
  };
}

/** A condition with its values; left out by `where` when any of them is `undefined`. */
export function is(text: string, ...values: readonly (Value | undefined)[]): Fragment | undefined {
  const given = values.filter((value) => value !== undefined);
  return given.length === values.length ? { text, values: given } : undefined;
}

/** How many rows of a table meet a `where`. */
export async function countRows(sql: Sql, table: string, found: Fragment): Promise<number> {
  const row = await sql.get<{ count: number }>(`select count(*) as count from ${table} ${found.text}`, ...found.values);
  return row?.count ?? 0;
}
