import type { EpochMs } from '../../base/clock.js';
import { migrations } from '../migrate.js';
import { type Migration, newestOf, notOurs, tooNew } from '../schema.js';
import type { Connection } from './connection.js';
import { adoptLegacy, isLegacy, setAsideLegacy } from './legacy/adopt.js';
import { brokenReferences, markVersion, ownerOf, tableNames, versionOf } from './schema.js';

export interface MigrateOptions {
  file: string;
  /** Dates rows that the earlier server did not date. */
  now: EpochMs;
  /**
   * Saves the database. Called once inside the write lock, before the first change to a database that already has
   * tables. Returns what removes the copy again, for a migration that failed.
   */
  save?: ((fromVersion: number) => () => void) | undefined;
  steps?: readonly Migration[] | undefined;
}

/**
 * Whether the schema is up to date. Throws `unavailable` for a database of a newer version or of another program, which
 * must not be changed at all.
 */
export function isUpToDate(connection: Connection, options: MigrateOptions): boolean {
  return connection.transaction(() => compare(connection, options))();
}

/**
 * Brings the schema up to date. The version is read inside the write lock, so that any number of processes may start
 * at once: the first migrates, the others find nothing to do. A database of the earlier Python server is adopted.
 * Throws SQLITE_BUSY for the caller to repeat. Leaves the connection with references checked.
 */
export function migrate(connection: Connection, options: MigrateOptions): void {
  // It has no effect inside a transaction, so it comes first.
  connection.pragma('foreign_keys = off');
  // A table that is rebuilt needs no room in the directory for temporary files, which may be full.
  connection.pragma('temp_store = memory');
  connection.exec('begin immediate');
  let removeCopy: (() => void) | undefined;
  try {
    if (!compare(connection, options)) {
      const current = versionOf(connection);
      if (tableNames(connection).length > 0) removeCopy = options.save?.(current);
      change(connection, current, options);
    }
    connection.exec('commit');
  } catch (error) {
    if (connection.inTransaction) {
      connection.exec('rollback');
      removeCopy?.();
    }
    throw error;
  }
  connection.pragma('temp_store = default');
  connection.pragma('foreign_keys = on');
}

function compare(connection: Connection, { file, steps = migrations }: MigrateOptions): boolean {
  const newest = newestOf(steps);
  const found = versionOf(connection);
  const owner = ownerOf(connection);
  if (owner === 'us') {
    if (found > newest) throw tooNew(file, found, newest);
    return found === newest;
  }
  const tables = tableNames(connection);
  const isFree = owner === undefined && found === 0 && (tables.length === 0 || isLegacy(connection));
  if (!isFree) throw notOurs(file, tables);
  return false;
}

function change(connection: Connection, current: number, { now, steps = migrations }: MigrateOptions): void {
  const isAdoption = current === 0 && tableNames(connection).length > 0;
  const earlier = isAdoption ? setAsideLegacy(connection) : undefined;
  const brokenBefore = brokenReferences(connection);
  for (const step of steps) if (step.version > current) step.up(connection);
  if (earlier) adoptLegacy(connection, earlier, now);
  markVersion(connection, newestOf(steps));
  for (const [table, count] of brokenReferences(connection)) {
    if (count > (brokenBefore.get(table) ?? 0)) throw new Error(`The migration broke references of table ${table}.`);
  }
}
