import type { Database } from './sql.js';
import { openDatabase as openSqlite, type OpenOptions as SqliteOptions } from './sqlite/open.js';

export interface OpenOptions extends SqliteOptions {
  /** A database on a PostgreSQL server, in place of the file. */
  url?: string | undefined;
}

/** Opens the runtime's database, creating and migrating it as needed. Throws `unavailable` with the way to fix it. */
export async function openDatabase({ url, ...options }: OpenOptions): Promise<Database> {
  if (url === undefined) return openSqlite(options);
  const { openPostgres } = await import('./postgres/open.js');
  const { log, lockDeadlineMs: deadlineMs, steps } = options;
  return openPostgres({ url, log, deadlineMs, steps });
}
