import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Driver, driverNames, loadDriver } from '../../../src/store/sqlite/driver.js';
import { tempDir } from '../../support/temp-dir.js';

const loaded = await Promise.all(driverNames.map((name) => loadDriver([name]).catch(() => undefined)));
const drivers = loaded
  .filter((driver): driver is Driver => driver !== undefined)
  .map((driver) => [driver.name, driver] as const);

function codeOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** The files below a directory that this process has open. */
function openBelow(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(directory) ? [target] : [];
    } catch {
      return [];
    }
  });
}

test('at least the driver that comes along loads on every Node', () => {
  expect(drivers.map(([name]) => name)).toContain('@photostructure/sqlite');
});

describe.each(drivers)('%s', (_, driver) => {
  const memory = () => driver.connect(':memory:');

  test('gives rows, single columns, and numbers of changes', () => {
    const db = memory();
    db.exec("create table t (a integer, b text); insert into t values (1, 'x'), (2, null)");
    expect({ ...(db.prepare('select * from t where a = ?').get(1) as object) }).toEqual({ a: 1, b: 'x' });
    expect(db.prepare('select * from t where a = ?').get(9)).toBeUndefined();
    expect(db.prepare('select b, a from t order by a').pluck().all()).toEqual(['x', null]);
    expect(db.prepare('select a from t where a > ?').pluck().get(9)).toBeUndefined();
    expect(db.prepare('update t set b = ?').run('y').changes).toBe(2);
    expect(db.prepare('insert into t (a) values (?) returning a').pluck().get(3)).toBe(3);
    expect(db.prepare('select count(*) from t').pluck().get()).toBe(3);
    db.close();
  });

  test('a statement that stays prepared gives rows by the columns that the table has now', () => {
    const file = join(tempDir(), 'a.db');
    const [db, other] = [driver.connect(file), driver.connect(file)];
    db.exec("create table t (a integer, b text); insert into t values (1, 'x')");
    const read = db.prepare<[], object>('select * from t');
    expect({ ...read.get() }).toEqual({ a: 1, b: 'x' });
    other.exec('alter table t add column c integer default 3');
    expect({ ...read.get() }).toEqual({ a: 1, b: 'x', c: 3 });
    other.exec(`create table u (c integer, b text, a integer); insert into u select c, b, a from t;
      drop table t; alter table u rename to t`);
    expect(read.all().map((row) => ({ ...row }))).toEqual([{ a: 1, b: 'x', c: 3 }]);
    expect(Object.keys(read.get() ?? {})).toEqual(['c', 'b', 'a']);
    for (const connection of [other, db]) connection.close();
  });

  test('knows which statements return rows and which only read', () => {
    const db = memory();
    db.exec('create table t (a)');
    const kinds = (text: string) => [db.prepare(text).reader, db.prepare(text).readonly];
    expect(kinds('select a from t')).toEqual([true, true]);
    expect(kinds('with u as (select 1 as a) select a from u')).toEqual([true, true]);
    expect(kinds('insert into t values (1)')).toEqual([false, false]);
    expect(kinds('insert into t values (1) returning a')).toEqual([true, false]);
    expect(kinds('with u as (select 1 as a)\ninsert into t select a from u')).toEqual([false, false]);
    db.close();
  });

  test('reads and sets pragmas; references are checked from the start', () => {
    const db = memory();
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    db.pragma('user_version = 7');
    expect(db.pragma('user_version', { simple: true })).toBe(7);
    expect((db.pragma('user_version') as object[]).map((row) => ({ ...row }))).toEqual([{ user_version: 7 }]);
    expect(db.pragma('busy_timeout', { simple: true })).toBe(5_000);
    db.close();
  });

  test.each([
    ['SQLITE_CONSTRAINT_UNIQUE', "insert into t (id, a) values (9, 'x')"],
    ['SQLITE_CONSTRAINT_PRIMARYKEY', "insert into t (id, a) values (1, 'y')"],
    ['SQLITE_CONSTRAINT_NOTNULL', 'insert into t (a) values (null)'],
    ['SQLITE_CONSTRAINT_CHECK', "insert into t (a) values ('')"],
    ['SQLITE_CONSTRAINT_FOREIGNKEY', "insert into t (a, of) values ('z', 99)"],
    ['SQLITE_CONSTRAINT_DATATYPE', "insert into t (a, of) values ('z', 'no number')"],
    ['SQLITE_ERROR', 'insert into nowhere values (1)'],
  ])('names the error %s', (code, text) => {
    const db = memory();
    db.exec(`create table t (id integer primary key, a text not null unique check (a <> ''), of integer references t) strict;
      insert into t (id, a) values (1, 'x')`);
    expect(codeOf(() => db.prepare(text).run())).toBe(code);
    expect(codeOf(() => db.exec(text))).toBe(code);
    db.close();
  });

  test('names the errors of files: busy, read-only, no database, damaged, not to be opened, full', () => {
    const directory = tempDir();
    const file = join(directory, 'a.db');
    const one = driver.connect(file);
    one.exec('pragma journal_mode = wal; create table t (a)');
    const other = driver.connect(file, { timeout: 0 });
    one.exec('begin immediate');
    expect(codeOf(() => other.exec('begin immediate'))).toBe('SQLITE_BUSY');
    one.exec('rollback');
    const reader = driver.connect(file, { readonly: true });
    expect(reader.readonly).toBe(true);
    expect(codeOf(() => reader.exec('insert into t values (1)'))).toBe('SQLITE_READONLY');
    one.exec(`pragma max_page_count = ${one.pragma('page_count', { simple: true })}`);
    expect(codeOf(() => one.prepare('insert into t values (zeroblob(100000))').run())).toBe('SQLITE_FULL');
    for (const connection of [reader, other, one]) connection.close();

    const text = join(directory, 'text.db');
    writeFileSync(text, 'no database '.repeat(1_000));
    const notADatabase = driver.connect(text);
    expect(codeOf(() => notADatabase.prepare('select * from sqlite_master').all())).toBe('SQLITE_NOTADB');
    notADatabase.close();

    const bytes = readFileSync(file);
    bytes.fill(0xa5, 100);
    const damaged = join(directory, 'damaged.db');
    writeFileSync(damaged, bytes);
    const broken = driver.connect(damaged);
    expect(codeOf(() => broken.prepare('select * from t').all())).toMatch(/^SQLITE_CORRUPT/);
    broken.close();

    mkdirSync(join(directory, 'taken'));
    expect(codeOf(() => driver.connect(join(directory, 'taken')))).toMatch(/^SQLITE_CANTOPEN/);
    const missing = join(directory, 'missing.db');
    expect(codeOf(() => driver.connect(missing, { fileMustExist: true }))).toBe('SQLITE_CANTOPEN');
    expect(codeOf(() => driver.connect(missing, { readonly: true }))).toBe('SQLITE_CANTOPEN');
    expect(existsSync(missing)).toBe(false);
  });

  test('a transaction keeps all or nothing, and says whether one is open', () => {
    const db = memory();
    db.exec('create table t (a)');
    const count = () => db.prepare('select count(*) from t').pluck().get();
    const add = db.transaction(() => {
      db.exec('insert into t values (1)');
      return db.inTransaction;
    });
    expect([add(), add.immediate(), count(), db.inTransaction]).toEqual([true, true, 2, false]);
    const failing = db.transaction(() => {
      db.exec('insert into t values (2)');
      throw new Error('no more');
    });
    expect(() => failing.immediate()).toThrow('no more');
    expect([count(), db.inTransaction]).toEqual([2, false]);
    db.close();
  });

  test('an integer that a number cannot hold is rounded; a text keeps what follows a NUL', () => {
    const db = memory();
    expect(
      db
        .prepare('select 9007199254740993 as big, -5 as small')
        .all()
        .map((row) => ({ ...(row as object) })),
    ).toEqual([{ big: 9007199254740992, small: -5 }]);
    expect(db.prepare('select 9007199254740993').pluck().get()).toBe(9007199254740992);
    expect(db.prepare('select ?').pluck().get('before\0after')).toMatch(/^before[\0\ufffd]after$/);
    db.close();
  });

  test.runIf(process.platform === 'linux')('close lets go of every file, with statements that still exist', () => {
    const directory = tempDir();
    const file = join(directory, 'a.db');
    const db = driver.connect(file);
    db.pragma('journal_mode = wal');
    db.exec('create table t (a); insert into t values (1), (2)');
    const kept = [
      db.prepare('select * from t'),
      db.prepare('insert into t values (?)'),
      db.prepare('select 1').pluck(),
    ];
    kept[0]?.get();
    kept[1]?.run(3);
    const reader = driver.connect(file, { readonly: true });
    const keptByReader = reader.prepare('select count(*) from t').pluck();
    expect(keptByReader.get()).toBe(3);
    expect(openBelow(directory).length).toBeGreaterThan(0);
    reader.close();
    db.close();
    db.close();
    expect([db.open, reader.open, db.inTransaction]).toEqual([false, false, false]);
    expect(openBelow(directory)).toEqual([]);
    expect(readdirSync(directory)).toEqual(['a.db']);
    expect(() => kept[0]?.all()).toThrow();
  });

  test('backup gives another file the same contents, also while that is open elsewhere', async () => {
    const directory = tempDir();
    const source = driver.connect(join(directory, 'source.db'));
    source.exec("create table t (a); insert into t values ('new')");
    const target = join(directory, 'target.db');
    const open = driver.connect(target);
    open.pragma('journal_mode = wal');
    open.exec("create table t (a); insert into t values ('old')");
    await source.backup(target);
    expect(open.prepare('select a from t').pluck().all()).toEqual(['new']);
    await expect(source.backup(join(directory, 'no', 'such.db'))).rejects.toThrow();
    for (const connection of [open, source]) connection.close();
  });
});
