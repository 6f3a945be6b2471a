import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { openDatabase } from '../../../src/store/sqlite/open.js';
import { openStore, type Store, storeOptions } from '../open-store.js';
import { mountTmpfs } from './tmpfs.js';

const full = {
  code: 'unavailable',
  message: expect.stringMatching(/^The disk that holds the database is full; nothing was written: .*\.db \(SQLITE_/),
  hint: 'Free some space and repeat the call.',
};

interface FullDisk {
  db: Store;
  path: string;
  freeSpace(): void;
}

/** A store on a disk of 2 MB that something else has filled to the last page. */
async function storeOnFullDisk(context: TestContext): Promise<FullDisk> {
  const { path } = mountTmpfs(context, 2048);
  const db = await openStore({ file: join(path, 'agent_runtime.db') });
  await db.run("insert into notes (text) values ('before')");
  const filler = join(path, 'filler');
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));
  return { db, path, freeSpace: () => rmSync(filler) };
}

async function contentOf(db: Store) {
  return {
    notes: await db.all('select text, length(text) as length from notes order by id'),
    counters: await db.all('select name, value from counters order by name'),
    problem: await db.check(),
  };
}

async function transferAndNote(db: Store, length: number): Promise<void> {
  await db.transaction(async (sql) => {
    await sql.run("update counters set value = value + 1 where name = 'a'");
    await sql.run('insert into notes (text) values (?)', 'x'.repeat(length));
    await sql.run("update counters set value = value - 1 where name = 'b'");
  });
}

test('on a full disk a write says so and leaves nothing; reads go on; it works again once there is space', async (context) => {
  const { db, freeSpace } = await storeOnFullDisk(context);
  const before = await contentOf(db);
  await expect(transferAndNote(db, 300_000)).rejects.toMatchObject(full);
  await expect(db.run('insert into notes (text) values (?)', 'y'.repeat(300_000))).rejects.toMatchObject(full);
  await expect(transferAndNote(db, 300_000)).rejects.toMatchObject(full);
  expect(await contentOf(db)).toEqual(before);
  freeSpace();
  await transferAndNote(db, 300_000);
  expect(await db.all('select name, value from counters order by name')).toEqual([
    { name: 'a', value: 1 },
    { name: 'b', value: -1 },
  ]);
  expect(await db.check()).toBeUndefined();
});

test('a body that goes on after the disk was full writes nothing outside of its transaction', async (context) => {
  const { db } = await storeOnFullDisk(context);
  const before = await contentOf(db);
  const stubborn = db.transaction(async (sql) => {
    await sql.run("update counters set value = 5 where name = 'a'");
    // More than the page cache holds, so that the disk is asked before the commit.
    await sql.run('insert into notes (text) values (?)', 'x'.repeat(20_000_000)).catch(() => {});
    await sql.run("update counters set value = 6 where name = 'b'");
  });
  await expect(stubborn).rejects.toThrow('This transaction has ended');
  expect(await contentOf(db)).toEqual(before);
});

test('a database that is started on a full disk says so', async (context) => {
  const { path, freeSpace } = await storeOnFullDisk(context);
  const file = join(path, 'another.db');
  await expect(openDatabase(storeOptions({ file }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/full|ENOSPC/),
  });
  freeSpace();
  await openStore({ file });
});

test('a copy that does not fit says which and leaves no part of it', async (context) => {
  const { db, path } = await storeOnFullDisk(context);
  const copy = join(path, 'copy.db');
  await expect(db.backup(copy)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(`^The copy ${copy} could not be written: `),
    hint: expect.stringContaining('the database itself is as it was'),
  });
  expect(() => statfsSync(copy)).toThrow('ENOENT');
});

test('close on a full disk ends, without the last statements', async (context) => {
  const { db, freeSpace } = await storeOnFullDisk(context);
  db.close([{ text: 'insert into notes (text) values (?)', values: ['x'.repeat(300_000)] }]);
  freeSpace();
  const next = await openStore({ file: db.location });
  expect(await next.all('select text from notes')).toEqual([{ text: 'before' }]);
});
