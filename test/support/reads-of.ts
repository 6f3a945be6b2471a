import type { Database } from '../../src/store/sql.js';
import { countStatements } from './count-statements.js';

/**
 * How SQLite finds the rows of some tables, or aliases of them, while `work` reads: for each statement that reads them the
 * steps of its plan, such as `SEARCH jobs USING INDEX jobs_by_end (completed_at>?)`. To sort them is a step too.
 */
export async function readsOf(db: Database, tables: RegExp, work: () => Promise<unknown>): Promise<string[][]> {
  const { statements } = await countStatements(db, work);
  const reads: string[][] = [];
  for (const text of statements) {
    const places = Array.from(text.matchAll(/\?/g), () => 1);
    const plan = await db.all<{ detail: string }>(`explain query plan ${text}`, ...places);
    const steps = plan.map(({ detail }) => detail);
    const found = steps.filter((step) => tables.test(/^(?:SCAN|SEARCH) (\w+)/.exec(step)?.[1] ?? ''));
    if (found.length > 0) reads.push([...found, ...steps.filter((step) => step.includes('TEMP B-TREE FOR ORDER BY'))]);
  }
  return reads;
}
