import { onTestFinished } from 'vitest';
import type { Database } from '../../src/store/sql.js';
import { isOnPostgres } from './postgres.js';

interface Refused {
  table: string;
  /** What is refused; `update` unless given. */
  event?: 'insert' | 'update';
  /** Which rows, as a condition on `new`; all unless given. */
  when?: string;
}

/** Makes the database refuse to write rows with the error `disk full`, until the function that it resolves to is called. */
export async function refuseWrites(
  db: Database,
  { table, event = 'update', when = '1 = 1' }: Refused,
): Promise<() => Promise<void>> {
  const head = `create trigger refusing before ${event} on ${table}`;
  const statements = isOnPostgres
    ? [
        `create or replace function refuse() returns trigger language plpgsql as 'begin raise exception ''disk full''; end'`,
        `${head} for each row when (${when}) execute function refuse()`,
      ]
    : [`${head} when ${when} begin select raise(abort, 'disk full'); end`];
  for (const statement of statements) await db.run(statement);
  let isRefusing = true;
  const allow = async () => {
    if (isRefusing) await db.run(isOnPostgres ? `drop trigger refusing on ${table}` : 'drop trigger refusing');
    isRefusing = false;
  };
  // A database of a server is used by the next test, too.
  if (isOnPostgres) onTestFinished(allow);
  return allow;
}
