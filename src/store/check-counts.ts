import type { Database, Sql } from './sql.js';

/** A table of counts that triggers keep, and the view that counts the same from the rows. */
export interface StoredCounts {
  table: string;
  view: string;
  /** What is counted apart. Table and view have these columns, and `count`. */
  keys: readonly string[];
}

/** A count that is not that of the rows: its keys, and the two numbers. */
export type WrongCount = Record<string, string | number> & { stored: number; counted: number };

/**
 * Compares stored counts with the rows, and corrects them. Resolves to those that were wrong, a few of them; triggers
 * keep the counts, so there are none unless something else has written to the file.
 */
export async function checkCounts(db: Database, counts: StoredCounts): Promise<WrongCount[]> {
  if ((await findWrongCounts(db, counts)).length === 0) return [];
  return db.transaction(async (sql) => {
    // Looked at again under the lock.
    const wrong = await findWrongCounts(sql, counts);
    if (wrong.length === 0) return [];
    const columns = [...counts.keys, 'count'].join(', ');
    await sql.run(`delete from ${counts.table}`);
    await sql.run(`insert into ${counts.table} (${columns}) select ${columns} from ${counts.view}`);
    return wrong;
  });
}

/** Stored counts that are not those of the rows, a few of them. */
export function findWrongCounts(sql: Sql, { table, view, keys }: StoredCounts): Promise<WrongCount[]> {
  const key = keys.join(', ');
  return sql.all<WrongCount>(
    `select ${key}, sum(stored) as stored, sum(counted) as counted
     from (
       select ${key}, count as stored, 0 as counted from ${table}
       union all
       select ${key}, 0, count from ${view}
     ) as both_counts
     group by ${key} having sum(stored) <> sum(counted) limit 5`,
  );
}
