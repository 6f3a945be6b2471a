import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { migrations } from '../../../src/store/migrate.js';
import type { Migration } from '../../../src/store/schema.js';
import type { Connection } from '../../../src/store/sqlite/connection.js';
import { migrate } from '../../../src/store/sqlite/migrate.js';
import { openDatabase } from '../../../src/store/sqlite/open.js';
import { connect } from '../../support/sqlite.js';
import { openStore, recordingLog, type Store, storeOptions } from '../open-store.js';
import { testTables } from '../test-tables.js';

/** A closed store of version 1 with a note in it. */
async function populatedStore(): Promise<Store> {
  const db = await openStore();
  await db.run("insert into notes (text) values ('kept')");
  db.close();
  return db;
}

function next(up: Migration['up']): readonly Migration[] {
  return [testTables, { version: 2, name: 'next', up }];
}

const addColumn = next((connection) => connection.exec("alter table notes add column author text default 'me'"));

/** What a file holds; for a database that nobody has open. */
function dump(file: string) {
  const connection = connect(file, { readonly: true });
  onTestFinished(() => void connection.close());
  return {
    schema: connection.prepare('select type, name, sql from sqlite_master order by name').all(),
    notes: connection.prepare('select * from notes').all(),
    version: connection.pragma('user_version', { simple: true }),
    isSound: connection.pragma('integrity_check', { simple: true }) === 'ok',
  };
}

test('the migrations are numbered from 1 without a gap', () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
});

test('a new database gets every step, and no backup', async () => {
  const log = recordingLog();
  const db = await openStore({ steps: addColumn, log });
  expect(await db.all('select * from notes')).toEqual([]);
  await db.run("insert into notes (text) values ('x')");
  expect(await db.all('select text, author from notes')).toEqual([{ text: 'x', author: 'me' }]);
  expect(log.lines).toEqual([]);
});

test('a later step is applied to a populated database once, after a backup of the exact state before it', async () => {
  const { location, backupDir } = await populatedStore();
  const before = dump(location);
  const log = recordingLog();
  const db = await openStore({ file: location, steps: addColumn, log });
  expect(await db.all('select text, author from notes')).toEqual([{ text: 'kept', author: 'me' }]);
  expect(log.lines).toEqual(['info: database saved before its schema changes']);
  const backups = readdirSync(backupDir);
  expect(backups).toEqual(['agent_runtime-20261120T120000000Z-v1.db']);
  expect(dump(join(backupDir, String(backups[0])))).toEqual(before);

  db.close();
  await openStore({ file: location, steps: addColumn, log });
  expect(readdirSync(backupDir)).toHaveLength(1);
});

test('a step that fails changes nothing, not even by the steps before it, and leaves no backup', async () => {
  const { location, backupDir } = await populatedStore();
  const before = dump(location);
  const failing: readonly Migration[] = [
    ...addColumn,
    {
      version: 3,
      name: 'fails',
      up: (connection) => {
        connection.exec('delete from notes; drop table counters');
        throw new Error('The step failed.');
      },
    },
  ];
  const options = storeOptions({ file: location, backupDir, steps: failing });
  await expect(openDatabase(options)).rejects.toThrow('The step failed.');
  expect(dump(location)).toEqual(before);
  expect(readdirSync(backupDir)).toEqual([]);
});

test('a migration whose backup cannot be written does not begin', async () => {
  const { location } = await populatedStore();
  const before = dump(location);
  const options = storeOptions({ file: location, backupDir: join(location, 'below-a-file'), steps: addColumn });
  await expect(openDatabase(options)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^The copy .*-v1\.db could not be written: ENOTDIR/),
    hint: expect.stringContaining('the database itself is as it was'),
  });
  expect(dump(location)).toEqual(before);
});

const referring = next((connection) =>
  connection.exec(`
    create table remarks (note_id integer not null references notes (id), text text not null) strict;
    insert into remarks (note_id, text) select id, 'remark' from notes;
  `),
);

test('a step may rebuild a table that others refer to', async () => {
  const { location } = await populatedStore();
  (await openStore({ file: location, steps: referring })).close();
  const rebuilding: readonly Migration[] = [
    ...referring,
    {
      version: 3,
      name: 'rebuilds',
      up: (connection) =>
        connection.exec(`
          create table notes_new (id integer primary key autoincrement, text text not null, stars integer default 0) strict;
          insert into notes_new (id, text) select id, text from notes;
          drop table notes;
          alter table notes_new rename to notes;
        `),
    },
  ];
  const db = await openStore({ file: location, steps: rebuilding });
  expect(
    await db.all('select n.text, n.stars, r.text as remark from notes n join remarks r on r.note_id = n.id'),
  ).toEqual([{ text: 'kept', stars: 0, remark: 'remark' }]);
  await expect(db.run("insert into remarks (note_id, text) values (99, 'x')")).rejects.toThrow('FOREIGN KEY');
});

test('a step that leaves a reference to nothing fails', async () => {
  const { location } = await populatedStore();
  (await openStore({ file: location, steps: referring })).close();
  const before = dump(location);
  const breaking = [
    ...referring,
    { version: 3, name: 'breaks', up: (c: Connection) => void c.exec('delete from notes') },
  ];
  await expect(openDatabase(storeOptions({ file: location, steps: breaking }))).rejects.toThrow(
    'The migration broke references of table remarks.',
  );
  expect(dump(location)).toEqual(before);
});

test('a migration leaves references checked, whether it had something to do or not', () => {
  const connection = connect(':memory:');
  onTestFinished(() => void connection.close());
  for (let time = 0; time < 2; time++) {
    migrate(connection, { file: 'x', now: 1, steps: [testTables] });
    expect(connection.pragma('foreign_keys', { simple: true })).toBe(1);
  }
});
