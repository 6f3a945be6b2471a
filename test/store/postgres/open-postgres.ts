import { onTestFinished } from 'vitest';
import { silentLog } from '../../../src/base/log.js';
import { type OpenPostgresOptions, openPostgres } from '../../../src/store/postgres/open.js';
import type { Database } from '../../../src/store/sql.js';
import { newPostgresUrl } from '../../support/postgres.js';
import { testTables } from '../test-tables.js';

export interface PostgresStore extends Database {
  readonly url: string;
}

/** An open store with the test's tables in a database of its own, closed after the test. */
export async function openPostgresStore(options: Partial<OpenPostgresOptions> = {}): Promise<PostgresStore> {
  const url = options.url ?? newPostgresUrl();
  const db = await openPostgres({ log: silentLog, steps: [testTables], ...options, url });
  onTestFinished(() => db.close());
  return Object.assign(db, { url });
}
