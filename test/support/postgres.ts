import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { endProcessesOf } from './processes-of.js';

/** The port of this run's PostgreSQL server; null where PostgreSQL is not installed. */
export const postgresPort = inject('postgresPort');

/** Whether the tests of the domain run on PostgreSQL. */
export const isOnPostgres = process.env.AGENT_RUNTIME_TEST_ENGINE === 'postgres';

const addressOf = (database: string): string => `postgres://agrt@127.0.0.1:${postgresPort}/${database}`;

/** The address of a database that does not exist yet; dropped after the test. */
export function newPostgresUrl(): string {
  const database = `t_${randomUUID().replaceAll('-', '')}`;
  onTestFinished(() => execute('postgres', `drop database if exists ${database} with (force)`));
  return addressOf(database);
}

const lent = new Map<string, string>();
const free: string[] = [];

/**
 * What makes a runtime of this process whose home is here use the engine that is tested. The databases serve one test
 * after the other, emptied between, and go with their server at the end of the run.
 */
export async function databaseEnv(home: string): Promise<Record<string, string>> {
  if (!isOnPostgres) return {};
  const known = lent.get(home);
  if (known) return { AGENT_RUNTIME_DB_URL: addressOf(known) };
  const database = free.pop() ?? `t_${randomUUID().replaceAll('-', '')}`;
  lent.set(home, database);
  onTestFinished(async () => {
    // A runner that has signed off still looks whether more is to be done, and would do what the next test asks for.
    await endProcessesOf(home);
    await execute(database, emptyAll);
    lent.delete(home);
    free.push(database);
  });
  return { AGENT_RUNTIME_DB_URL: addressOf(database) };
}

/**
 * What is still connected goes first: a runtime that is closing may have its last statements under way. Rows are deleted,
 * without the triggers that would count them: to truncate the tables makes a file for each of them and of their indexes,
 * and takes six times as long.
 */
const emptyAll = `
  do $$
  declare name text;
  begin
    perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
    set local session_replication_role = replica;
    for name in select quote_ident(tablename) from pg_tables where schemaname = 'public' and tablename <> 'schema_version'
    loop
      execute 'delete from ' || name;
    end loop;
    perform setval(format('%I.%I', schemaname, sequencename), 1, false) from pg_sequences
      where schemaname = 'public' and last_value is not null;
  end $$`;

async function execute(database: string, text: string): Promise<void> {
  const client = new pg.Client(addressOf(database));
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
