import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Sql } from '../../src/store/sql.js';
import { notesIn, openStore, type Store } from './open-store.js';

const guardsError = 'A transaction awaited something other than its own sql; it was rolled back.';

const addNote = (sql: Sql, text: string) => sql.run('insert into notes (text) values (?)', text);

/** Runs a transaction that awaits `wait` between two writes; it must end with the guard's error and leave nothing. */
async function expectRefusal(db: Store, wait: () => Promise<unknown>): Promise<void> {
  const refused = db.transaction(async (sql) => {
    await addNote(sql, 'before');
    await wait();
    await addNote(sql, 'after');
  });
  await expect(refused).rejects.toThrow(guardsError);
}

test('a transaction that awaits a timer is rolled back', async () => {
  const db = await openStore();
  for (const ms of [20, 0]) {
    // From here, where the event loop has polled, it goes on to immediates and only then to timers.
    await stat(db.location);
    await expectRefusal(db, () => sleep(ms));
  }
  expect(await notesIn(db)).toEqual([]);
});

test('a transaction that awaits the network is rolled back', async () => {
  const db = await openStore();
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await expectRefusal(db, () => fetch(`http://127.0.0.1:${port}`));
  expect(await notesIn(db)).toEqual([]);
});

test('a transaction that awaits what never comes frees the lock and the queue', async () => {
  const db = await openStore();
  await expectRefusal(db, () => new Promise(() => {}));
  await addNote(db, 'next');
  expect(await notesIn(db)).toEqual(['next']);
});

test('a transaction that awaits another one is rolled back instead of waiting for itself; the other then runs alone', async () => {
  const db = await openStore();
  await expectRefusal(db, () => db.transaction((sql) => addNote(sql, 'the other')));
  await addNote(db, 'next');
  expect(await notesIn(db)).toEqual(['the other', 'next']);
});

test('what a refused body goes on to write reaches nothing', async () => {
  const db = await openStore();
  let late: Promise<unknown> = Promise.resolve();
  let goOn = () => {};
  const isRefused = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const refused = db.transaction((sql) => {
    late = isRefused.then(() => addNote(sql, 'late'));
    return late;
  });
  await expect(refused).rejects.toThrow(guardsError);
  goOn();
  await expect(late).rejects.toThrow('This transaction has ended; its sql must not be kept.');
  expect(await notesIn(db)).toEqual([]);
});

test('the sql of a transaction is dead once that has ended', async () => {
  const db = await openStore();
  let kept: Sql = db;
  await db.transaction(async (sql) => {
    kept = sql;
  });
  await expect(addNote(kept, 'x')).rejects.toThrow('This transaction has ended');
  await expect(kept.get('select 1')).rejects.toThrow('This transaction has ended');
  await expect(kept.all('select 1')).rejects.toThrow('This transaction has ended');
  const other = db.transaction(async (sql) => {
    await addNote(sql, 'mine');
    await expect(addNote(kept, 'not mine')).rejects.toThrow('This transaction has ended');
  });
  await other;
  expect(await notesIn(db)).toEqual(['mine']);
});

test('a long transaction of nothing but its own statements is left in peace', async () => {
  const db = await openStore();
  await db.transaction(async (sql) => {
    for (let index = 0; index < 2_000; index++) await addNote(sql, `note ${index}`);
    const busyUntil = performance.now() + 50;
    while (performance.now() < busyUntil);
    await addNote(sql, 'the last');
  });
  expect(await notesIn(db)).toHaveLength(2_001);
});
