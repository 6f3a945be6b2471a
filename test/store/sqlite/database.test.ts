import { expect, test } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.js';
import type { Sql } from '../../../src/store/sql.js';
import { notesIn, openStore } from '../open-store.js';
import { startTalking, startTogether } from './talk.js';

const addNote = (sql: Sql, text: string) => sql.run('insert into notes (text) values (?)', text);

test('a transaction is kept whole', async () => {
  const db = await openStore();
  const result = await db.transaction(async (sql) => {
    await addNote(sql, 'one');
    await addNote(sql, 'two');
    return 'the result of its body';
  });
  expect(result).toBe('the result of its body');
  expect(await notesIn(db)).toEqual(['one', 'two']);
});

test('a transaction whose body throws leaves nothing, and the error comes through as it was', async () => {
  const db = await openStore();
  const error = new RuntimeError('conflict', 'No.');
  const failed = db.transaction(async (sql) => {
    await addNote(sql, 'lost');
    throw error;
  });
  await expect(failed).rejects.toBe(error);
  expect(await notesIn(db)).toEqual([]);
});

test('a statement that breaks a rule of its table undoes its transaction, and shows as the bug it is', async () => {
  const db = await openStore();
  const failed = db.transaction(async (sql) => {
    await addNote(sql, 'lost');
    await sql.run("insert into counters (name, value) values ('a', 1)");
  });
  await expect(failed).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' });
  expect(await notesIn(db)).toEqual([]);
});

test('run resolves to the number of rows changed, get to a row or nothing', async () => {
  const db = await openStore();
  expect(await db.run('update counters set value = 7')).toBe(2);
  expect(await db.get('select value from counters where name = ?', 'a')).toEqual({ value: 7 });
  expect(await db.get('select value from counters where name = ?', 'z')).toBeUndefined();
});

test('500 increments at once in one process are counted exactly', async () => {
  const db = await openStore();
  const increment = async (sql: Sql) => {
    const row = await sql.get<{ value: number }>("select value from counters where name = 'a'");
    await sql.run("update counters set value = ? where name = 'a'", (row?.value ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: 500 }, () => db.transaction(increment)));
  expect(await db.get("select value from counters where name = 'a'")).toEqual({ value: 500 });
});

test('8 processes with 300 read-then-write transactions each lose none and never see SQLITE_BUSY', async () => {
  const db = await openStore();
  const children = await Promise.all(Array.from({ length: 8 }, () => startTalking('increment', [db.location, '300'])));
  await startTogether(children);
  const ends = await Promise.all(children.map((child) => child.ended));
  expect(ends.map(({ code, stderr }) => ({ code, stderr }))).toEqual(ends.map(() => ({ code: 0, stderr: '' })));
  expect(await db.get("select value from counters where name = 'a'")).toEqual({ value: 2_400 });
});

test('writers take turns in the order in which they asked, single statements among transactions', async () => {
  const db = await openStore();
  await Promise.all([
    db.transaction(async (sql) => {
      await addNote(sql, 'first');
      await addNote(sql, 'first again');
    }),
    addNote(db, 'second'),
    db.transaction((sql) => addNote(sql, 'third')),
    addNote(db, 'fourth'),
  ]);
  expect(await notesIn(db)).toEqual(['first', 'first again', 'second', 'third', 'fourth']);
});

test('a failed transaction does not hold up those after it', async () => {
  const db = await openStore();
  const failed = db.transaction(() => Promise.reject(new Error('No.')));
  const after = addNote(db, 'after');
  await expect(failed).rejects.toThrow('No.');
  await after;
  expect(await notesIn(db)).toEqual(['after']);
});

test('a read outside a transaction never sees its rows before the commit, and sees them right after', async () => {
  const db = await openStore();
  const seen: string[][] = [];
  await db.transaction(async (sql) => {
    await addNote(sql, 'new');
    seen.push(await notesIn(db));
    expect(await sql.get('select text from notes')).toEqual({ text: 'new' });
  });
  seen.push(await notesIn(db));
  expect(seen).toEqual([[], ['new']]);
});

test('all and get outside a transaction refuse to write, by an error that names the statement', async () => {
  const db = await openStore();
  const text = "insert into notes (text) values ('x') returning id";
  await expect(db.get(text)).rejects.toThrow(`Only run() and transactions write; all() and get() were given: ${text}`);
  await expect(db.all(text)).rejects.toThrow('Only run() and transactions write');
  expect(await db.transaction((sql) => sql.get(text))).toEqual({ id: 1 });
});

test('a durable transaction syncs its commit, and the next one does not', async () => {
  const db = await openStore();
  const level = (sql: Sql) => sql.get('select synchronous as level from pragma_synchronous');
  const full = { level: 2 };
  const normal = { level: 1 };
  expect(await db.transaction(level)).toEqual(normal);
  expect(await db.transaction(level, { durable: true })).toEqual(full);
  expect(await db.transaction(level)).toEqual(normal);
  await expect(db.transaction(() => Promise.reject(new Error('No.')), { durable: true })).rejects.toThrow('No.');
  expect(await db.transaction(level)).toEqual(normal);
});

test('references are enforced', async () => {
  const db = await openStore();
  expect(await db.transaction((sql) => sql.get('select foreign_keys as are_on from pragma_foreign_keys'))).toEqual({
    are_on: 1,
  });
});
