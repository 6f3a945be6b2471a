import pg from 'pg';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { writeLock } from '../../src/store/postgres/transaction.js';
import type { Migration } from '../../src/store/schema.js';
import type { Database } from '../../src/store/sql.js';
import { eventually } from '../support/eventually.js';
import { newPostgresUrl, postgresPort } from '../support/postgres.js';
import { connect } from '../support/sqlite.js';
import { notesIn, openStore, storeOptions } from './open-store.js';
import { openPostgresStore } from './postgres/open-postgres.js';
import { testTables } from './test-tables.js';

/** What a later version of the program may do to the tables. */
const next: Migration = {
  version: 2,
  name: 'counters are tallies',
  up: (schema) => schema.exec('alter table counters rename to tallies'),
};

const older = [testTables];
const newer = [testTables, next];

interface Place {
  open(steps: readonly Migration[]): Promise<Database>;
  /** Begins to make the schema newer, as another process does; what is returned commits it when a write waits for that. */
  beginMigration(): Promise<() => Promise<unknown>>;
}

function fileOfSqlite(): Place {
  const { file } = storeOptions();
  return {
    open: (steps) => openStore({ file, steps }),
    async beginMigration() {
      const connection = connect(file);
      onTestFinished(() => void connection.close());
      connection.exec('begin immediate; pragma user_version = 2');
      return async () => connection.exec('commit');
    },
  };
}

function databaseOfPostgres(): Place {
  const url = newPostgresUrl();
  return {
    open: (steps) => openPostgresStore({ url, steps }),
    async beginMigration() {
      const client = await clientOf(url);
      await client.query(`begin; select pg_advisory_xact_lock(${writeLock}); update schema_version set version = 2`);
      return async () => {
        await eventually('another one waits', () => isWaitedFor(client));
        await client.query('commit');
      };
    },
  };
}

async function clientOf(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Whether somebody waits for the lock of those who write, in the database of this client. */
async function isWaitedFor(client: pg.Client): Promise<boolean> {
  const waiting = `select 1 from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;
  return (await client.query(waiting)).rows.length > 0;
}

const addNote = "insert into notes (text) values ('lost')";
const refusal = {
  code: 'unavailable',
  message: expect.stringMatching(
    /to schema version 2; this process knows versions up to 1, and nothing was written\.$/,
  ),
  hint: expect.stringMatching(/^End this process .* and start it again/),
};

describe.each([
  ['SQLite', fileOfSqlite],
  ...(postgresPort ? ([['PostgreSQL', databaseOfPostgres]] as const) : []),
] as const)('on %s, a program that has the database open', (_, placeOf) => {
  it('while a newer one migrates it reads on, and writes nothing', async () => {
    const { open } = placeOf();
    const [first, second] = [await open(older), await open(older)];
    await first.run("insert into notes (text) values ('before')");
    const latest = await open(newer);
    await expect(first.run(addNote)).rejects.toMatchObject(refusal);
    await expect(first.send(addNote)).rejects.toMatchObject(refusal);
    await expect(second.transaction((sql) => sql.run(addNote))).rejects.toMatchObject(refusal);
    // What it names is not there any more, which is not what its caller should hear.
    const gone = second.transaction((sql) => sql.run("update counters set value = 1 where name = 'a'"), {
      beside: true,
    });
    await expect(gone).rejects.toMatchObject(refusal);
    await latest.run("insert into notes (text) values ('after')");
    expect(await notesIn(first)).toEqual(['before', 'after']);
    expect(await latest.all('select * from tallies where value <> 0')).toEqual([]);
  });

  it('is refused too if it waited for the migration', async () => {
    const { open, beginMigration } = placeOf();
    const db = await open(older);
    const commit = await beginMigration();
    const waiting = expect(db.transaction((sql) => sql.run(addNote))).rejects.toMatchObject(refusal);
    await commit();
    await waiting;
    expect(await notesIn(db)).toEqual([]);
  });
});

it('last statements are not written to a newer schema either', async () => {
  const { open } = fileOfSqlite();
  const db = await open(older);
  const latest = await open(newer);
  db.close([{ text: addNote, values: [] }]);
  expect(await notesIn(latest)).toEqual([]);
});

test.runIf(postgresPort)('a migration waits for those who write', async () => {
  const url = newPostgresUrl();
  await openPostgresStore({ url, steps: older });
  const writing = await clientOf(url);
  await writing.query(
    `begin; select pg_advisory_xact_lock_shared(${writeLock}); insert into notes (text) values ('first')`,
  );
  const migrating = openPostgresStore({ url, steps: newer });
  await eventually('it waits', () => isWaitedFor(writing));
  expect((await writing.query('select version from schema_version')).rows).toEqual([{ version: '1' }]);
  await writing.query('commit');
  expect(await notesIn(await migrating)).toEqual(['first']);
});
