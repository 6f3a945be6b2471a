import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Sql, Statement } from '../../../src/store/sql.js';
import { takesLessThan, timeOf } from '../../support/takes-less-than.js';
import { notesIn, openStore, type Store } from '../open-store.js';
import { startTalking } from './talk.js';

const addNote = (text: string): Statement => ({ text: 'insert into notes (text) values (?)', values: [text] });
const closed = { code: 'unavailable', message: expect.stringContaining('was closed, because this process is ending') };

async function notesAfter(db: Store): Promise<string[]> {
  return notesIn(await openStore({ file: db.location }));
}

test('close writes the last statements, all or none', async () => {
  const db = await openStore();
  db.close([addNote('one'), addNote('two')]);
  expect(await notesAfter(db)).toEqual(['one', 'two']);

  const other = await openStore();
  const bug = { text: 'insert into notes (text) values (null)', values: [] };
  expect(() => other.close([addNote('one'), bug])).toThrow('NOT NULL');
  expect(await notesAfter(other)).toEqual([]);
});

test('close may be called twice', async () => {
  const db = await openStore();
  db.close([addNote('once')]);
  db.close([addNote('twice')]);
  expect(await notesAfter(db)).toEqual(['once']);
});

test('the last process to close leaves one file', async () => {
  const db = await openStore();
  await db.run('insert into notes (text) values (?)', 'x');
  expect(existsSync(`${db.location}-wal`)).toBe(true);
  db.close();
  expect(existsSync(`${db.location}-wal`)).toBe(false);
  expect(existsSync(`${db.location}-shm`)).toBe(false);
});

test('every call after close says that the database was closed', async () => {
  const db = await openStore();
  db.close();
  await expect(db.all('select 1')).rejects.toMatchObject(closed);
  await expect(db.get('select 1')).rejects.toMatchObject(closed);
  await expect(db.run('delete from notes')).rejects.toMatchObject(closed);
  await expect(db.transaction(async () => 1)).rejects.toMatchObject(closed);
  await expect(db.backup('/nonexistent')).rejects.toMatchObject(closed);
  await expect(db.check()).rejects.toMatchObject(closed);
});

test('close ends what is queued, and undoes what is half done, before it writes the last statements', async () => {
  const db = await openStore();
  const halfDone = db.transaction(async (sql) => {
    await sql.run('insert into notes (text) values (?)', 'half done');
    db.close([addNote('last')]);
    await sql.run('insert into notes (text) values (?)', 'too late');
  });
  const queued = db.run('insert into notes (text) values (?)', 'queued');
  await expect(halfDone).rejects.toMatchObject(closed);
  await expect(queued).rejects.toMatchObject(closed);
  expect(await notesAfter(db)).toEqual(['last']);
});

test('close ends a call that waits for the lock of another process', async () => {
  const db = await openStore();
  const holder = await startTalking('hold-lock', [db.location, 'begin immediate']);
  await holder.nextLine();
  const waiting = [db.transaction((sql: Sql) => sql.run('delete from notes')), db.run('delete from notes')];
  const ends = Promise.allSettled(waiting);
  setImmediate(() => db.close());
  for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: closed });
});

test('close takes less than 50 ms although another process holds the lock, and leaves the last statements out', async () => {
  const close = async () => {
    const db = await openStore();
    const holder = await startTalking('hold-lock', [db.location, 'begin immediate']);
    await holder.nextLine();
    const took = await timeOf(() => db.close([addNote('not written')]));
    holder.tell('let go');
    await holder.ended;
    expect(await notesAfter(db)).toEqual([]);
    return took;
  };
  expect(await takesLessThan(50, close)).toBe(true);
});
