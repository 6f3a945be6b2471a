import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';
import { notesIn, openStore, recordingLog, type Store } from '../open-store.js';
import { startTalking } from './talk.js';

const note = (text: string) => `insert into notes (text) values ('${text}')`;
const write = (db: Store, text: string) => db.transaction((sql) => sql.run(note(text)));
const parts = ['', '-wal', '-shm'];

async function storeWith(...texts: string[]): Promise<Store> {
  const db = await openStore();
  for (const text of texts) await write(db, text);
  return db;
}

/** A closed copy of the database of its own, with one note. */
async function otherDatabase(text: string): Promise<string> {
  const other = await storeWith(text);
  other.close();
  return other.location;
}

function put(from: string, to: string): void {
  rmSync(to, { force: true });
  copyFileSync(from, to);
}

function notesAt(file: string): string[] {
  const connection = connect(file, { readonly: true });
  try {
    return connection.prepare<[], string>('select text from notes order by id').pluck().all();
  } finally {
    connection.close();
  }
}

const gone = { code: 'unavailable', message: expect.stringContaining('was moved or deleted') };

describe('a database that is deleted under the process', () => {
  test('takes no write any more, and no read once its last look is old; the error says how to go on', async () => {
    const db = await storeWith('kept');
    const copy = join(db.backupDir, 'agent_runtime-20261120T000000000Z-manual.db');
    await db.backup(copy);
    for (const part of parts) rmSync(db.location + part);
    await expect(write(db, 'lost')).rejects.toMatchObject({ ...gone, hint: expect.stringContaining(copy) });
    await expect(db.run(note('lost'))).rejects.toMatchObject(gone);
    await expect(db.all('select * from notes')).rejects.toMatchObject(gone);
    expect(existsSync(db.location)).toBe(false);
    expect(db.isHere()).toBe(false);
  });

  test('is noticed by reads alone', async () => {
    const db = await storeWith('kept');
    rmSync(db.location);
    await sleep(110);
    await expect(db.all('select * from notes')).rejects.toMatchObject(gone);
  });

  test('can still be saved by a backup', async () => {
    const db = await storeWith('one', 'two');
    for (const part of parts) rmSync(db.location + part);
    await expect(write(db, 'lost')).rejects.toMatchObject(gone);
    const copy = join(tempDir(), 'saved.db');
    await db.backup(copy);
    expect(notesAt(copy)).toEqual(['one', 'two']);
  });

  test('is noticed by a transaction that waited for the lock meanwhile', async () => {
    const db = await storeWith('kept');
    const holder = await startTalking('hold-lock', [db.location, 'begin immediate']);
    await holder.nextLine();
    const waiting = write(db, 'lost');
    const elsewhere = join(tempDir(), 'moved');
    renameSync(dirname(db.location), elsewhere);
    holder.tell('let go');
    await expect(waiting).rejects.toMatchObject(gone);
    db.close();
    expect(notesAt(join(elsewhere, 'agent_runtime.db'))).toEqual(['kept']);
  });
});

describe('a database whose directory is moved away', () => {
  test('goes on when it is moved back, and says both once', async () => {
    const log = recordingLog();
    const db = await openStore({ log });
    await write(db, 'before');
    const [home, elsewhere] = [dirname(db.location), join(tempDir(), 'moved')];
    renameSync(home, elsewhere);
    for (let tries = 0; tries < 3; tries++) await expect(write(db, 'lost')).rejects.toMatchObject(gone);
    renameSync(elsewhere, home);
    await write(db, 'after');
    expect(await notesIn(db)).toEqual(['before', 'after']);
    expect(log.lines).toEqual([
      'error: the database was moved, deleted or replaced under this process',
      'warn: the database is at its path again',
    ]);
  });

  test('is closed without its last statements and without a checkpoint', async () => {
    const db = await storeWith('before');
    const elsewhere = join(tempDir(), 'moved');
    renameSync(dirname(db.location), elsewhere);
    const moved = join(elsewhere, 'agent_runtime.db');
    const states = () => [moved, `${moved}-wal`].map((path) => [statSync(path).size, statSync(path).mtimeMs]);
    const before = states();
    db.close([{ text: note('last'), values: [] }]);
    expect(states()).toEqual(before);
    expect(notesAt(moved)).toEqual(['before']);
  });
});

describe('a database that is replaced', () => {
  test('by another of ours: one call says so, and the next ones work on that', async () => {
    const db = await storeWith('old');
    const elsewhere = join(tempDir(), 'moved');
    renameSync(dirname(db.location), elsewhere);
    const other = await openStore({ file: db.location });
    await write(other, 'new');
    await expect(write(db, 'lost')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('which this process uses from now on'),
    });
    await write(db, 'of both');
    expect(await notesIn(other)).toEqual(['new', 'of both']);
    expect(await notesIn(db)).toEqual(['new', 'of both']);
    expect(notesAt(join(elsewhere, 'agent_runtime.db'))).toEqual(['old']);
  });

  test('by another of ours in the middle of many calls: none is lost without a word', async () => {
    const db = await storeWith();
    const elsewhere = join(tempDir(), 'moved');
    const writes = Array.from({ length: 40 }, async (_, index) => {
      await sleep(index);
      return db
        .transaction((sql) => sql.run(note(String(index))))
        .then(
          () => index,
          () => -1,
        );
    });
    await sleep(15);
    renameSync(dirname(db.location), elsewhere);
    const other = await openStore({ file: db.location });
    const acknowledged = (await Promise.all(writes)).filter((index) => index >= 0);
    const kept = [...notesAt(join(elsewhere, 'agent_runtime.db')), ...(await notesIn(other))].map(Number);
    expect(kept.sort((one, other) => one - other)).toEqual(acknowledged);
  });

  test('while its -wal stays: it is refused, as SQLite would apply that to the new file, until the -wal is gone', async () => {
    const db = await storeWith('old');
    put(await otherDatabase('new'), db.location);
    const refused = { code: 'unavailable', hint: expect.stringContaining(`move ${db.location}-wal`) };
    await expect(write(db, 'lost')).rejects.toMatchObject(refused);
    await expect(write(db, 'lost')).rejects.toMatchObject(refused);
    for (const part of ['-wal', '-shm']) rmSync(db.location + part);
    await expect(write(db, 'lost')).rejects.toMatchObject({ message: expect.stringContaining('from now on') });
    await write(db, 'more');
    expect(await notesIn(db)).toEqual(['new', 'more']);
  });

  test('by an empty file or a text: nothing is written to it, and the database can be put back', async () => {
    const db = await storeWith('old');
    const [home, elsewhere] = [dirname(db.location), join(tempDir(), 'moved')];
    renameSync(home, elsewhere);
    mkdirSync(home);
    writeFileSync(db.location, '');
    await expect(write(db, 'lost')).rejects.toMatchObject(gone);
    expect(statSync(db.location).size).toBe(0);
    writeFileSync(db.location, 'a text that is no database');
    await expect(write(db, 'lost')).rejects.toMatchObject({
      message: expect.stringMatching(/was replaced by a file that cannot be used .*not a database/),
    });
    expect(statSync(db.location).size).toBe(26);
    rmSync(home, { recursive: true });
    renameSync(elsewhere, home);
    await expect.poll(() => write(db, 'after').catch(() => 0)).toBe(1);
    expect(await notesIn(db)).toEqual(['old', 'after']);
  });

  test('by a copy that is not complete yet: it waits until it is', async () => {
    const db = await storeWith('old');
    const other = await storeWith(...Array.from({ length: 200 }, (_, index) => `${index} ${'x'.repeat(500)}`));
    other.close();
    for (const part of parts) rmSync(db.location + part);
    copyFileSync(other.location, db.location);
    truncateSync(db.location, statSync(other.location).size - 40_960);
    await expect(write(db, 'lost')).rejects.toMatchObject({ message: expect.stringContaining('cannot be used') });
    put(other.location, db.location);
    await expect.poll(() => write(db, 'after').catch(() => 0)).toBe(1);
    expect(await notesIn(db)).toHaveLength(201);
  });

  test('and closed: the -wal of the new one is left to those who use it', async () => {
    const db = await storeWith('old');
    renameSync(dirname(db.location), join(tempDir(), 'moved'));
    const holder = await openStore({ file: db.location });
    await write(holder, 'new');
    db.close([{ text: note('last'), values: [] }]);
    expect(existsSync(`${db.location}-wal`)).toBe(true);
    await write(holder, 'newer');
    expect(await notesIn(holder)).toEqual(['new', 'newer']);
  });
});
