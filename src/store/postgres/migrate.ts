import type { Client } from 'pg';
import { migrations } from '../migrate.js';
import { type Migration, newestOf, notOurs, tooNew } from '../schema.js';
import type { Connection } from './connection.js';
import { schemaToPostgres } from './dialect.js';
import { writeLock } from './transaction.js';

/** The lock under which schemas are changed: one process migrates, the others find nothing to do. */
const migrationLock = 0x6d696772;

/**
 * Brings the schema up to date, all of it or nothing. Throws `unavailable` for a database of a newer version, and for one
 * that holds tables of another program where ours would be.
 */
export async function migrate(
  connection: Connection,
  location: string,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const client = await connection.open();
  const newest = newestOf(steps);
  if ((await versionOf(client, location, newest)) === newest) return;
  await client.query('begin');
  try {
    await lockSchema(client);
    const found = await versionOf(client, location, newest);
    if (found === undefined) await refuseForeign(client, location, steps);
    await bringUp(client, found ?? 0, steps);
    await markVersion(client, newest);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => connection.discard(client));
    throw error;
  }
}

/** Until the end of the transaction nobody else changes the schema, or writes. */
export async function lockSchema(client: Client): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${migrationLock})`);
  // Whoever writes looks at the version under this lock: none goes on with the former one.
  await client.query(`select pg_advisory_xact_lock(${writeLock})`);
}

/** Runs the steps above a version, inside the transaction of the caller. */
export async function bringUp(client: Client, from: number, steps: readonly Migration[]): Promise<void> {
  await client.query(functions);
  for (const step of steps) if (step.version > from) await apply(client, step);
  await client.query(ownColumns);
  await client.query('create table if not exists schema_version (version bigint not null)');
  await client.query(serverRun);
}

export async function markVersion(client: Client, version: number): Promise<void> {
  await client.query('delete from schema_version');
  await client.query('insert into schema_version (version) values ($1)', [version]);
}

/** Undefined if the database has no tables of ours. Throws for a newer version, which must not be changed at all. */
export async function versionOf(client: Client, location: string, newest: number): Promise<number | undefined> {
  // A name that another process gives to a table while this one waits for the lock is in the table of names at once;
  // to_regclass may still say what it said before.
  const { rows } = await client.query(
    "select 1 from pg_tables where schemaname = any (current_schemas(false)) and tablename = 'schema_version'",
  );
  if (rows.length === 0) return undefined;
  const found = await client.query<{ version: number }>('select max(version) as version from schema_version');
  const version = found.rows[0]?.version ?? 0;
  if (version > newest) throw tooNew(location, version, newest);
  return version;
}

async function apply(client: Client, step: Migration): Promise<void> {
  const texts: string[] = [];
  step.up({ isPostgres: true, exec: (text) => texts.push(text) });
  for (const text of texts) await client.query(schemaToPostgres(text));
}

/** Other programs may keep their tables beside ours; only a name that both use stands in the way. */
export async function refuseForeign(client: Client, location: string, steps: readonly Migration[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select tablename::text as name from pg_tables where schemaname = any (current_schemas(false)) and tablename = any ($1)',
    [namesMadeBy(steps, 'table')],
  );
  if (rows.length > 0)
    throw notOurs(
      location,
      rows.map(({ name }) => name),
    );
}

/** The names of all tables, views or functions that migrations make, also of those that a later one renames. */
export function namesMadeBy(steps: readonly Migration[], kind: 'table' | 'view' | 'function'): string[] {
  const names: string[] = [];
  const pattern = new RegExp(`create (?:or replace )?${kind} (\\w+)`, 'g');
  const exec = (text: string) => names.push(...[...text.matchAll(pattern)].map(([, name]) => name ?? ''));
  for (const step of steps) step.up({ isPostgres: true, exec });
  return names;
}

/** What SQLite has and our texts use: the elements of a JSON array that is stored as text. */
const functions = `
  create or replace function json_each(list text) returns table (value text) language sql immutable as
    'select jsonb_array_elements_text(list::jsonb)'`;

/** Numbers are not given in the order of commits, so an event keeps its transaction (`eventOrder`). */
const ownColumns = `
  do $$ begin
    if to_regclass('events') is not null then
      alter table events add column if not exists tx xid8 not null default pg_current_xact_id();
      create index if not exists events_by_transaction on events (tx, id);
    end if;
  end $$`;

/**
 * The name of the server's run, from one crash to the next: a crash empties a table without a log, and so does the
 * promotion of a standby. What was not on disk by then is gone, and the ids of its transactions are given to others.
 */
const serverRun = 'create unlogged table if not exists server_run (id bigint primary key, name text not null)';
