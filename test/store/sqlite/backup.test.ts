import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { backupPath, makeBackup, newestBackup } from '../../../src/store/sqlite/backup.js';
import { buildChild, startChild } from '../../support/child.js';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';
import { openStore } from '../open-store.js';

const noon = Date.UTC(2026, 10, 20, 12);

test('a copy made while 4 processes write is one moment of the database, private, and soon done', async () => {
  const program = await buildChild(fileURLToPath(new URL('children/write-until-killed.ts', import.meta.url)));
  const db = await openStore();
  await db.transaction(async (sql) => {
    for (let index = 1; index <= 10_000; index++) {
      await sql.run('insert into notes (text) values (?)', `filler ${index}`.padEnd(1_000));
    }
    await sql.run("update counters set value = case name when 'a' then 10000 else -10000 end");
  });
  const writers = Array.from({ length: 4 }, (_, index) => startChild(program, [db.location, `w${index}`]));
  await Promise.all(writers.map(({ process }) => new Promise((resolve) => process.stdout?.once('data', resolve))));
  const directory = tempDir();
  const counts: number[] = [];
  for (let round = 0; round < 5; round++) {
    const path = join(directory, `${round}.db`);
    await db.backup(path);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    const copy = connect(path, { readonly: true });
    const notes = Number(copy.prepare('select count(*) from notes').pluck().get());
    expect(copy.prepare('select value from counters order by name').pluck().all()).toEqual([notes, -notes]);
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    copy.close();
    counts.push(notes);
  }
  for (const { process } of writers) expect(process.exitCode).toBeNull();
  // They did write meanwhile.
  expect(counts.at(-1)).toBeGreaterThan(counts[0] ?? 0);
  expect(readdirSync(directory)).toHaveLength(5);
});

test.each([0o022, 0o000])('under umask %o a copy and the directory made for it are private', async (mask) => {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
  const db = await openStore();
  const connection = connect(db.location, { readonly: true });
  onTestFinished(() => void connection.close());
  const path = makeBackup(connection, { backupDir: db.backupDir, label: 'manual', now: noon });
  const modes = [db.backupDir, path].map((made) => (statSync(made).mode & 0o777).toString(8));
  expect(modes).toEqual(['700', '600']);
});

test('a copy never takes the place of a file', async () => {
  const db = await openStore();
  const taken = join(tempDir(), 'taken');
  writeFileSync(taken, 'precious');
  await expect(db.backup(taken)).rejects.toMatchObject({
    code: 'conflict',
    message: `The file ${taken} exists already.`,
  });
  await expect(db.backup(db.location)).rejects.toMatchObject({ code: 'conflict' });
  expect(statSync(taken).size).toBe(8);
});

test('a directory that is not there is made for a copy, private; one that cannot be made is named', async () => {
  const db = await openStore();
  const directory = join(tempDir(), 'new', 'backups');
  await db.backup(join(directory, 'copy.db'));
  expect((statSync(directory).mode & 0o777).toString(8)).toBe('700');
  const blocked = join(directory, 'copy.db', 'below', 'copy.db');
  await expect(db.backup(blocked)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(new RegExp(`^The copy ${blocked} could not be written: ENOTDIR`)),
  });
});

test('what a killed backup has left is removed by the next one, and what another is writing stays', async () => {
  const db = await openStore();
  const directory = tempDir();
  const { pid: dead = 0 } = spawnSync('true');
  const hourAgo = Date.now() / 1000 - 3_600;
  const [left, journal, fresh, foreign, own] = [
    `a.db.${dead}.part`,
    `a.db.${dead}.part-journal`,
    `b.db.${dead}.part`,
    'notes.part',
    `c.db.${process.pid}.part`,
  ].map((name) => join(directory, name)) as [string, string, string, string, string];
  for (const path of [left, journal, fresh, foreign, own]) writeFileSync(path, '');
  for (const path of [left, journal, foreign]) utimesSync(path, hourAgo, hourAgo);
  utimesSync(own, hourAgo + 1_800, hourAgo + 1_800);
  await db.backup(join(directory, 'copy.db'));
  expect(readdirSync(directory).sort()).toEqual(
    [fresh, own, join(directory, 'copy.db'), foreign].map((path) => basename(path)),
  );
});

test('a backup that fails leaves nothing behind', async () => {
  const db = await openStore();
  db.close();
  const backupDir = tempDir();
  const closed = connect(':memory:');
  closed.close();
  expect(() => makeBackup(closed, { backupDir, label: 'manual', now: noon })).toThrow('could not be written');
  expect(readdirSync(backupDir)).toEqual([]);
  const blocked = join(backupDir, 'file');
  writeFileSync(blocked, '');
  expect(() => makeBackup(closed, { backupDir: join(blocked, 'x'), label: 'manual', now: noon })).toThrow('ENOTDIR');
});

test('names of backups sort by time, and the newest is found among other files', () => {
  const backupDir = join(tempDir(), 'backups');
  expect(newestBackup(backupDir)).toBeUndefined();
  mkdirSync(backupDir);
  expect(newestBackup(backupDir)).toBeUndefined();
  const at = (now: number, label: string) => backupPath({ backupDir, label, now });
  expect(at(noon, 'v3')).toBe(join(backupDir, 'agent_runtime-20261120T120000000Z-v3.db'));
  const inOrder = [at(noon, 'z'), at(noon + 1, 'a'), at(noon + 86_400_000, 'a'), at(noon + 400 * 86_400_000, 'a')];
  expect(inOrder.toReversed().sort()).toEqual(inOrder);
  for (const path of [...inOrder, `${at(noon * 2, 'a')}.7.part`, join(backupDir, 'agent_runtime-zzz.db')]) {
    writeFileSync(path, '');
  }
  expect(newestBackup(backupDir)).toBe(inOrder.at(-1));
});
