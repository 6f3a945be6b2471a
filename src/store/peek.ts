import { existsSync } from 'node:fs';
import { RuntimeError } from '../base/errors.js';
import type { Value } from './sql.js';

/** Longer than a writer usually holds its lock, and short for someone who waits. */
const patienceMs = 500;

/**
 * Reads rows of a database that exists, changing nothing: neither migrated nor created, opened for this one statement.
 * Throws `not_found` if there is none, and what the engine throws.
 */
export async function peek<Row>(
  { dbPath, dbUrl }: { dbPath: string; dbUrl: string | undefined },
  text: string,
  ...values: Value[]
): Promise<Row[]> {
  if (dbUrl !== undefined) {
    const [{ openPostgres }, { silentLog }] = await Promise.all([
      import('./postgres/open.js'),
      import('../base/log.js'),
    ]);
    const db = await openPostgres({ url: dbUrl, log: silentLog, deadlineMs: patienceMs });
    try {
      return await db.all<Row>(text, ...values);
    } finally {
      db.close();
    }
  }
  if (!existsSync(dbPath)) {
    throw new RuntimeError('not_found', `There is no database ${dbPath}.`, 'It is made by the first session.');
  }
  const { loadDriver } = await import('./sqlite/driver.js');
  const { connect } = await loadDriver();
  const connection = connect(dbPath, { readonly: true, fileMustExist: true, timeout: patienceMs });
  try {
    return connection.prepare<Value[], Row>(text).all(...values);
  } finally {
    connection.close();
  }
}
