import { expect, it } from 'vitest';
import type { Connection } from '../../../src/store/sqlite/connection.js';
import { writtenRow } from '../../../src/store/sqlite/written-row.js';
import { countStatements } from '../../support/count-statements.js';
import { isOnPostgres } from '../../support/postgres.js';
import { connect } from '../../support/sqlite.js';
import { testRuntime } from '../../support/test-runtime.js';

const caller = { holder: 'session:a', project: '/a' };

function openNotes(): Connection {
  const connection = connect(':memory:');
  connection.exec(`
    create table notes (id integer primary key, text text not null, kind text not null default 'plain', size integer) strict;
    create table sizes (kind text primary key, count integer not null) strict, without rowid;
    create table log (seq integer primary key, note integer) strict;
    create trigger note_logged after insert on notes begin insert into log (seq, note) values (new.id + 100, new.id); end;
    insert into notes (text, size) values ('a', 1), ('b', 2), ('c', 3);`);
  return connection;
}

const written = (connection: Connection, text: string) => writtenRow(connection, text, connection.prepare(text));

it('an inserted row is returned as it is stored, whatever triggers insert', () => {
  const insert = written(openNotes(), 'insert into notes (text, size) values (?, ?) returning *');
  expect(insert?.get('d', 4)).toEqual({ id: 4, text: 'd', kind: 'plain', size: 4 });
  expect(insert?.get('e', null)).toEqual({ id: 5, text: 'e', kind: 'plain', size: null });
});

it('an updated row is returned as it is then, and nothing for a row that is not there', () => {
  const connection = openNotes();
  const update = written(
    connection,
    'update notes set text = ?, size = size + ? where id = ? and size < ? returning *',
  );
  expect(update?.get('x', 5, 2, 9)).toEqual({ id: 2, text: 'x', kind: 'plain', size: 7 });
  expect(update?.get('y', 5, 9, 9)).toBeUndefined();
  expect(update?.get('z', 5, 2, 6)).toBeUndefined();
  expect(connection.prepare('select text from notes').pluck().all()).toEqual(['a', 'x', 'c']);
});

it('a row that a query chooses is updated and returned', () => {
  const text = `update notes set kind = ?
    where id = (select id from notes where size > ? order by size desc limit 1)  returning *`;
  const update = written(openNotes(), text);
  expect(update?.get('big', 1)).toEqual({ id: 3, text: 'c', kind: 'big', size: 3 });
  expect(update?.get('big', 3)).toBeUndefined();
});

it('a row that may not be written is refused as SQLite refuses it', () => {
  const insert = written(openNotes(), 'insert into notes (id, text) values (?, ?) returning *');
  expect(() => insert?.get(1, 'twice')).toThrow(expect.objectContaining({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }));
});

it.each([
  [
    'has a conflict clause',
    'insert into notes (id, text) values (?, ?) on conflict (id) do update set text = ? returning *',
  ],
  ['writes several rows', 'insert into notes (text) values (?), (?) returning *'],
  ['may write several rows', 'update notes set text = ? where kind = ? returning *'],
  ['writes a table without ids', 'insert into sizes (kind, count) values (?, ?) returning *'],
  ['returns some columns', 'insert into notes (text) values (?) returning id'],
  [
    'has a query among its values',
    'update notes set size = (select max(seq) from log where seq = ?) where kind = ? returning *',
  ],
])('a statement that %s is left as it is', (_, text) => {
  expect(written(openNotes(), text)).toBeUndefined();
});

it.skipIf(isOnPostgres)('what writes a task and returns it is such a statement', async () => {
  const { db, tasks } = await testRuntime();
  const { statements } = await countStatements(db, async () => {
    await tasks.create([{ title: 'First' }], caller);
    const claimed = await tasks.claimNext({ project: '/a' }, {}, caller);
    await tasks.updateStatus({ task: claimed?.id ?? 0, status: 'completed' }, caller);
  });
  const returning = statements.filter((text) => text.includes('returning *'));
  expect(returning.map((text) => text.split(' ', 3).join(' '))).toEqual(['insert into tasks', 'update tasks set']);
  const connection = connect(db.location);
  for (const text of returning)
    expect(written(connection, text.replaceAll('for update skip locked', ''))).toBeDefined();
  connection.close();
});
