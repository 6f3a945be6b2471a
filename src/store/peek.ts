import { existsSync } from 'node:fs';
import { type Clock, systemClock } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import { databaseClock } from './database-clock.js';
import type { Value } from './sql.js';

/** Longer than a writer usually holds its lock, and short for someone who waits. */
const patienceMs = 500;

/**
 * Reads rows of a database that exists, changing nothing: neither migrated nor created, opened for this one statement.
 * `valuesAt` gets the clock by which its times are compared.
 * Throws `not_found` if there is none, and what the engine throws.
 */
export async function peek<Row>(
  { dbPath, dbUrl, hostId }: { dbPath: string; dbUrl: string | undefined; hostId: string | undefined },
  text: string,
  valuesAt: (clock: Clock) => Value[],
): Promise<Row[]> {
  const host = systemClock(hostId);
  if (dbUrl !== undefined) {
    const { readPostgres } = await import('./postgres/inspect.js');
    return readPostgres(dbUrl, (db) => db.all<Row>(text, ...valuesAt(databaseClock(db, host))));
  }
  if (!existsSync(dbPath)) {
    throw new RuntimeError('not_found', `There is no database ${dbPath}.`, 'It is made by the first session.');
  }
  const { loadDriver } = await import('./sqlite/driver.js');
  const { connect } = await loadDriver();
  const connection = connect(dbPath, { readonly: true, fileMustExist: true, timeout: patienceMs });
  try {
    return connection.prepare<Value[], Row>(text).all(...valuesAt(host));
  } finally {
    connection.close();
  }
}
