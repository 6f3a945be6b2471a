import type { Log } from '../../base/log.js';
import { migrations } from '../migrate.js';
import { type Migration, newestOf } from '../schema.js';
import type { Database } from '../sql.js';
import { publicAddress, splitAddress } from './address.js';
import { Connection } from './connection.js';
import { postgresDatabase } from './database.js';
import { restoreDump } from './dump.js';
import { migrate } from './migrate.js';
import { explain, isDuplicate, isMissing } from './postgres-errors.js';

export interface OpenPostgresOptions {
  /** `postgres://user@host/database`. */
  url: string;
  log: Log;
  /** Milliseconds that a caller waits for the server before it gets `unavailable`: 10,000 unless given. */
  deadlineMs?: number | undefined;
  /** For measurements: every transaction runs as the only one. */
  alwaysAlone?: boolean | undefined;
  /** For tests: another list of migrations. */
  steps?: readonly Migration[] | undefined;
}

/**
 * Connects to the runtime's database on a PostgreSQL server, making and migrating its tables as needed. Safe for any
 * number of processes on any hosts at once. Throws `unavailable`, saying what to do.
 */
export async function openPostgres({
  url,
  log,
  deadlineMs = 10_000,
  steps = migrations,
  ...options
}: OpenPostgresOptions): Promise<Database> {
  const location = publicAddress(url);
  const writer = new Connection({ url, name: 'agent-runtime', isReadOnly: false });
  try {
    await writer.open().catch(async (error) => {
      if (!isMissing(error)) throw error;
      await createDatabase(url);
      log.info('the database did not exist and was created', { location });
    });
    await migrate(writer, location, steps);
    const client = await writer.open();
    if (writer.serverOf(client).run === undefined) await writer.look(client);
  } catch (error) {
    await writer.close();
    throw explain(error, location);
  }
  const knownVersion = newestOf(steps);
  return postgresDatabase({ url, writer, location, knownVersion, log, deadlineMs, alwaysAlone: options.alwaysAlone });
}

/** Replaces the contents of the database by those of a backup. Throws `not_configured` without `pg_restore`, `unavailable` if it fails. */
export async function restorePostgres(url: string, from: string): Promise<void> {
  const location = publicAddress(url);
  const connection = new Connection({ url, name: 'agent-runtime (restore)', isReadOnly: false });
  try {
    const client = await connection.open();
    const { rows } = await client.query<{ version: string }>("select current_setting('server_version_num') as version");
    await restoreDump(from, { url, location, major: Math.floor(Number(rows[0]?.version) / 10_000) });
    // Transactions of another server are in the future of this one, and would not be readable.
    await client.query(
      "do $$ begin if to_regclass('events') is not null then update events set tx = '0'; end if; end $$",
    );
  } catch (error) {
    throw explain(error, location);
  } finally {
    await connection.close();
  }
}

/** Makes the database of an address, from the server's own one. Another process may be faster. */
export async function createDatabase(url: string): Promise<void> {
  const { server, database } = splitAddress(url);
  const connection = new Connection({ url: server, name: 'agent-runtime (create)', isReadOnly: false });
  try {
    const client = await connection.open();
    await client.query(`create database ${client.escapeIdentifier(database)}`);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  } finally {
    await connection.close();
  }
}
