import { createHash } from 'node:crypto';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';

/** The server of this run's tests; null where PostgreSQL is not installed. */
export const postgresPort = inject('postgresPort');

/** Whether the tests of the domain run on PostgreSQL. */
export const isOnPostgres = process.env.AGENT_RUNTIME_TEST_ENGINE === 'postgres';

const addressOf = (database: string): string => `postgres://agrt@127.0.0.1:${postgresPort}/${database}`;

/** The address of a database that does not exist yet; dropped after the test. Equal keys give equal addresses. */
export function postgresUrl(key: string): string {
  const database = `t_${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;
  onTestFinished(() => dropDatabase(database));
  return addressOf(database);
}

/** What makes a program whose database would be this file use the engine that is tested. */
export function databaseEnv(file: string): Record<string, string> {
  return isOnPostgres ? { AGENT_RUNTIME_DB_URL: postgresUrl(file) } : {};
}

async function dropDatabase(database: string): Promise<void> {
  const client = new pg.Client(addressOf('postgres'));
  await client.connect();
  try {
    await client.query(`drop database if exists ${database} with (force)`);
  } finally {
    await client.end();
  }
}
