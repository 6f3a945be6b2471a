import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/sqlite/open.js';
import { findWalDamage } from '../../../src/store/sqlite/wal-damage.js';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';
import { notesIn, openStore, recordingLog, storeOptions } from '../open-store.js';

const frameBytes = 24 + 4_096;

/** A database as a killed process leaves it: its last ten notes are in the -wal alone. */
async function leftByAKill(): Promise<string> {
  const db = await openStore();
  for (let note = 0; note < 10; note++)
    await db.transaction((sql) => sql.run(`insert into notes (text) values ('${note}')`));
  const file = join(tempDir(), 'left.db');
  for (const part of ['', '-wal']) copyFileSync(db.location + part, file + part);
  return file;
}

function flip(path: string, place: number): void {
  const descriptor = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(descriptor, byte, 0, 1, place);
  writeSync(descriptor, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, place);
  closeSync(descriptor);
}

const framesOf = (file: string) => (statSync(`${file}-wal`).size - 32) / frameBytes;

test('a whole log is found whole', async () => {
  expect(await findWalDamage(await leftByAKill())).toBeUndefined();
});

test('a damaged frame is said with what it costs, in the log and as long as the database is open', async () => {
  const file = await leftByAKill();
  const frame = framesOf(file) - 4;
  flip(`${file}-wal`, 32 + (frame - 1) * frameBytes + 500);
  const log = recordingLog();
  const db = await openDatabase(storeOptions({ file, log }));
  try {
    const lost = 10 - (await notesIn(db)).length;
    expect(lost).toBeGreaterThan(1);
    const loss = `The write-ahead log was damaged at frame ${frame}: its last ${lost} transactions are lost.`;
    expect(db.lossAtOpening()).toBe(loss);
    expect(log.lines).toContain(`error: ${loss}`);
  } finally {
    db.close();
  }
});

test('a damaged header and a damaged generation of a frame are found too', async () => {
  const header = await leftByAKill();
  flip(`${header}-wal`, 26);
  expect(await findWalDamage(header)).toMatchObject({ frame: 0 });
  const salt = await leftByAKill();
  flip(`${salt}-wal`, 32 + 2 * frameBytes + 9);
  expect(await findWalDamage(salt)).toMatchObject({ frame: 3 });
});

test('a write that was cut off at the end is no damage', async () => {
  const file = await leftByAKill();
  truncateSync(`${file}-wal`, statSync(`${file}-wal`).size - 1_000);
  expect(await findWalDamage(file)).toBeUndefined();
  const torn = await leftByAKill();
  flip(`${torn}-wal`, statSync(`${torn}-wal`).size - 1_000);
  expect(await findWalDamage(torn)).toBeUndefined();
});

test('what is left of an earlier generation behind the newest frames is no damage', async () => {
  const db = await openStore();
  for (let note = 0; note < 20; note++) await db.run("insert into notes (text) values ('x')");
  const other = connect(db.location);
  other.pragma('wal_checkpoint(restart)');
  other.close();
  await db.run("insert into notes (text) values ('y')");
  expect(framesOf(db.location)).toBeGreaterThan(20);
  expect(await findWalDamage(db.location)).toBeUndefined();
});
