import { closeSync, existsSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/sqlite/open.js';
import { openStore, type Store, storeOptions } from '../open-store.js';

/** A closed database of some hundred pages. */
async function filledStore(): Promise<Store> {
  const db = await openStore();
  await db.transaction(async (sql) => {
    for (let index = 0; index < 1_000; index++) {
      await sql.run('insert into notes (text) values (?)', `${index}`.padEnd(1_000, '.'));
    }
  });
  db.close();
  return db;
}

function overwrite(file: string, from: number, bytes: Buffer): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, from);
  closeSync(descriptor);
}

test('check finds nothing wrong with a sound database', async () => {
  const { location } = await filledStore();
  const db = await openStore({ file: location });
  expect(await db.check()).toBeUndefined();
});

test.each([
  ['zeros', Buffer.alloc(4096)],
  ['garbage', Buffer.alloc(4096, 'garbage')],
])('check finds a page of %s, which reads elsewhere in the file do not notice', async (_, page) => {
  const { location } = await filledStore();
  overwrite(location, 100 * 4096, page);
  const db = await openStore({ file: location });
  expect(await db.get("select value from counters where name = 'a'")).toEqual({ value: 0 });
  expect(await db.check()).toMatch(/page|malformed|btree/i);
});

test('a file that was cut short is refused at the start, with what to do', async () => {
  const { location } = await filledStore();
  truncateSync(location, Math.floor(statSync(location).size / 2 / 4096) * 4096);
  await expect(openDatabase(storeOptions({ file: location }))).rejects.toMatchObject({
    code: 'unavailable',
    message: `The database is damaged: ${location} (SQLITE_CORRUPT)`,
    hint: expect.stringMatching(/Keep the file.*agent-runtime restore.*\.recover/),
  });
});

test('rows on a damaged page, and a copy of them, are refused by the same words', async () => {
  const { location } = await filledStore();
  overwrite(location, 100 * 4096, Buffer.alloc(4096, 'garbage'));
  const db = await openStore({ file: location });
  const damaged = { code: 'unavailable', message: `The database is damaged: ${location} (SQLITE_CORRUPT)` };
  await expect(db.all('select * from notes')).rejects.toMatchObject(damaged);
  await expect(db.backup(`${location}.copy`)).rejects.toMatchObject(damaged);
  expect(existsSync(`${location}.copy`)).toBe(false);
});

test('a damaged header is refused at the start', async () => {
  const { location } = await filledStore();
  overwrite(location, 0, Buffer.alloc(100, 'x'));
  await expect(openDatabase(storeOptions({ file: location }))).rejects.toMatchObject({
    code: 'unavailable',
    message: `The file is not an SQLite database: ${location} (SQLITE_NOTADB)`,
  });
});
