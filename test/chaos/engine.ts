import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Connection } from '../../src/store/sqlite/connection.js';
import { postgresBinaries, startPostgres } from '../support/postgres-server.js';
import { connect } from '../support/sqlite.js';

const run = promisify(execFile);

export const engineNames = ['sqlite', 'postgres'] as const;
export type EngineName = (typeof engineNames)[number];

/** The database that the users share, as it is seen from outside. */
export interface Engine {
  /** What makes the product's processes use it. */
  env: Record<string, string>;
  /** While users work, once there is a database. */
  rows<Row>(query: string): Promise<Row[]>;
  /** The SQLite file with all that is in it, when nobody works any more. */
  toFile(main: string, env: Record<string, string>): Promise<string>;
  stop(): Promise<void>;
}

export function startEngine(name: EngineName, home: string): Promise<Engine> | Engine {
  return name === 'sqlite' ? sqliteIn(home) : postgresFor(home);
}

function sqliteIn(home: string): Engine {
  const file = join(home, '.claude', 'agent_runtime.db');
  let db: Connection | undefined;
  return {
    env: {},
    async rows<Row>(query: string) {
      db ??= connect(file, { readonly: true });
      return db.prepare(query).all() as Row[];
    },
    async toFile() {
      db?.close();
      db = undefined;
      return file;
    },
    async stop() {
      db?.close();
    },
  };
}

async function postgresFor(home: string): Promise<Engine> {
  const binaries = postgresBinaries();
  if (binaries === undefined) throw new Error('PostgreSQL is not installed here.');
  const server = await startPostgres(binaries, { isSafe: true });
  const url = `postgres://agrt@127.0.0.1:${server.port}/chaos`;
  let client: pg.Client | undefined;
  const open = async () => {
    const opened = new pg.Client(url);
    await opened.connect();
    return opened;
  };
  return {
    env: { AGENT_RUNTIME_DB_URL: url },
    async rows(query) {
      client ??= await open();
      return (await client.query(query)).rows;
    },
    // By what the product itself has for that, which compares each row.
    async toFile(main, env) {
      const file = join(home, 'books.db');
      await run(process.execPath, [main, 'migrate', '--to', file], { env, cwd: home });
      return file;
    },
    async stop() {
      await client?.end();
      await server.stop();
    },
  };
}
