import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { migrations } from '../../../src/store/migrate.js';
import { openDatabase, refuseUnsafeSqlite } from '../../../src/store/sqlite/open.js';
import { sharedDiskOf } from '../../../src/store/sqlite/prepare-file.js';
import { connect } from '../../support/sqlite.js';
import { tempDir } from '../../support/temp-dir.js';
import { notesIn, openStore, recordingLog, storeOptions } from '../open-store.js';
import { startTalking } from './talk.js';
import { mountTmpfs } from './tmpfs.js';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const filesOf = (file: string) => [file, `${file}-wal`, `${file}-shm`];

function useUmask(mask: number): void {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
}

test.each([0o022, 0o000])('under umask %o the directory is 0700, the database and its log are 0600', async (mask) => {
  useUmask(mask);
  const db = await openStore();
  await db.run("insert into notes (text) values ('x')");
  expect(modeOf(join(db.location, '..'))).toBe('700');
  expect(filesOf(db.location).map(modeOf)).toEqual(['600', '600', '600']);
});

test('modes that let others read are mended at the next start', async () => {
  const db = await openStore();
  await db.run("insert into notes (text) values ('x')");
  for (const path of filesOf(db.location)) chmodSync(path, 0o664);
  const next = await openStore({ file: db.location });
  expect(filesOf(next.location).map(modeOf)).toEqual(['600', '600', '600']);
});

test('a directory that is there keeps its mode: it is not ours', async () => {
  const directory = tempDir();
  chmodSync(directory, 0o755);
  await openStore({ file: join(directory, 'agent_runtime.db') });
  expect(modeOf(directory)).toBe('755');
});

test('an existing database opens as it is', async () => {
  const db = await openStore();
  await db.run("insert into notes (text) values ('kept')");
  db.close();
  expect(await notesIn(await openStore({ file: db.location }))).toEqual(['kept']);
});

test('one process may open the same database twice', async () => {
  const one = await openStore();
  const other = await openStore({ file: one.location });
  await one.run("insert into notes (text) values ('from one')");
  await other.run("insert into notes (text) values ('from the other')");
  other.close();
  expect(await notesIn(one)).toEqual(['from one', 'from the other']);
  expect(await one.check()).toBeUndefined();
});

test.runIf(process.platform === 'linux')('opening a second time drops no lock that the process holds', async () => {
  const db = await openStore();
  await db.run("insert into notes (text) values ('x')");
  const held = locksOn(db.location);
  expect(held.size).toBeGreaterThan(0);
  const second = await openStore({ file: db.location });
  await second.run("insert into notes (text) values ('y')");
  expect(locksOn(db.location)).toEqual(held);
  second.close();
  expect(locksOn(db.location)).toEqual(held);
});

/** What the kernel knows of this process's locks on the file and its -shm: each as the range that it covers. */
function locksOn(file: string): Set<string> {
  const inodes = [file, `${file}-shm`].map((path) => statSync(path).ino);
  // The kernel hands its list out in pieces: a lock is passed over, or shown twice, when others come and go meanwhile.
  const own = [1, 2, 3]
    .flatMap(() => readFileSync('/proc/locks', 'utf8').split('\n'))
    .map((line) => line.split(/\s+/).slice(1))
    .filter(([, , , pid, place]) => pid === `${process.pid}` && inodes.includes(Number(place?.split(':')[2])));
  return new Set(own.map((parts) => parts.join(' ')));
}

test('a schema newer than the program is refused with both versions and the way out, the file untouched', async () => {
  const newer = [...migrations, { version: 99, name: 'of the future', up: () => {} }];
  const db = await openStore({ steps: newer });
  db.close();
  const before = readFileSync(db.location);
  await expect(openDatabase(storeOptions({ file: db.location, steps: migrations }))).rejects.toMatchObject({
    code: 'unavailable',
    message: `The database ${db.location} has schema version 99; this program knows versions up to ${migrations.length}.`,
    hint: expect.stringMatching(/npm install --global agent-runtime-mcp@latest.*AGENT_RUNTIME_DB_PATH/),
  });
  expect(readFileSync(db.location).equals(before)).toBe(true);
});

test.each([
  ['tables of its own', 'create table bookmarks (url text)'],
  ['tables that only sound like the earlier server', 'create table goals (id integer, points integer)'],
  ['a version of its own', 'pragma user_version = 1'],
  ['a mark of its own', 'create table goals (id integer, name text, description text); pragma application_id = 7'],
])('the database of another program (%s) is refused untouched', async (_, statements) => {
  const file = join(tempDir(), 'other.db');
  const other = connect(file);
  other.exec(statements);
  other.close();
  const before = readFileSync(file);
  await expect(openDatabase(storeOptions({ file }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`The database ${file} belongs to another program`),
    hint: 'Set AGENT_RUNTIME_DB_PATH to another file.',
  });
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('a file that is no database is refused by name, untouched', async () => {
  const file = join(tempDir(), 'agent_runtime.db');
  writeFileSync(file, 'not a database '.repeat(1_000));
  await expect(openDatabase(storeOptions({ file }))).rejects.toMatchObject({
    code: 'unavailable',
    message: `The file is not an SQLite database: ${file} (SQLITE_NOTADB)`,
    hint: expect.stringContaining('agent-runtime restore'),
  });
  expect(readFileSync(file, 'utf8')).toMatch(/^not a database/);
});

test('an empty file becomes the database', async () => {
  const file = join(tempDir(), 'agent_runtime.db');
  writeFileSync(file, '');
  expect(await notesIn(await openStore({ file }))).toEqual([]);
});

test('a directory in place of the file, or a file in place of the directory, is named with the way out', async () => {
  const directory = tempDir();
  const wayOut = { code: 'unavailable', hint: expect.stringContaining('AGENT_RUNTIME_DB_PATH') };
  const taken = join(directory, 'taken.db');
  mkdirSync(taken);
  await expect(openDatabase(storeOptions({ file: taken }))).rejects.toMatchObject({
    ...wayOut,
    message: expect.stringContaining(`The database cannot be opened: ${taken}`),
  });
  writeFileSync(join(directory, 'file'), '');
  const below = join(directory, 'file', '.claude', 'agent_runtime.db');
  await expect(openDatabase(storeOptions({ file: below }))).rejects.toMatchObject({
    ...wayOut,
    message: expect.stringMatching(/^The database cannot be created: .*agent_runtime\.db \(ENOTDIR/),
  });
});

test.runIf(process.platform === 'linux')('a home where nothing can be made is named at once', async () => {
  const file = '/proc/no-such-home/.claude/agent_runtime.db';
  await expect(openDatabase(storeOptions({ file }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(`^The database cannot be created: ${file} \\(ENOENT`),
    hint: expect.stringContaining('AGENT_RUNTIME_DB_PATH'),
  });
});

test('on a read-only disk a new database is refused with the way out', async (context) => {
  const disk = mountTmpfs(context, 1024);
  disk.makeReadOnly();
  const file = join(disk.path, 'agent_runtime.db');
  await expect(openDatabase(storeOptions({ file }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^The database cannot be created: .* \(EROFS: read-only file system/),
    hint: expect.stringContaining('AGENT_RUNTIME_DB_PATH'),
  });
});

test('on a read-only disk an existing database is refused with the way out, and nothing is made up in its place', async (context) => {
  const disk = mountTmpfs(context, 1024);
  const file = join(disk.path, 'agent_runtime.db');
  const db = await openStore({ file });
  db.close();
  disk.makeReadOnly();
  await expect(openDatabase(storeOptions({ file }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^The database cannot be (opened|written to): .*agent_runtime\.db/),
    hint: expect.stringContaining('AGENT_RUNTIME_DB_PATH'),
  });
});

test('a lock held by a process that never lets go ends the opening with unavailable', async () => {
  const db = await openStore();
  db.close();
  const unready = connect(db.location);
  unready.pragma('user_version = 0');
  unready.exec('drop table notes; drop table counters; pragma application_id = 0');
  unready.close();
  const holder = await startTalking('hold-lock', [db.location, 'begin immediate']);
  await holder.nextLine();
  await expect(openDatabase(storeOptions({ file: db.location, lockDeadlineMs: 100 }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/stayed locked by another process for \d\.\d s/),
  });
});

test('SQLite releases that may lose writes of several processes are refused', () => {
  for (const version of ['3.40.1', '3.51.2', '3.7.17', '2.8.0']) {
    expect(() => refuseUnsafeSqlite(version)).toThrow(`SQLite ${version} may lose writes of several processes; 3.51.3`);
  }
  for (const version of ['3.51.3', '3.53.2', '3.60.0', '4.0.0']) refuseUnsafeSqlite(version);
});

test('disks on which the locks of other hosts are not seen are known by their type', () => {
  expect([0x6969, 0xff534d42, 0xfe534d42, 0x517b, 0x01021997].map(sharedDiskOf)).toEqual([
    'NFS',
    'CIFS',
    'SMB2',
    'SMB',
    '9p',
  ]);
  expect([0xef53, 0x01021994, 0x9123683e].map(sharedDiskOf)).toEqual([undefined, undefined, undefined]);
});

test('a local disk is opened without a warning', async () => {
  const log = recordingLog();
  await openStore({ log });
  expect(log.lines).toEqual([]);
});
