import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import { migrations } from '../migrate.js';
import type { Relation, Row, Table } from '../move.js';
import {
  anotherMove,
  holdsOtherWork,
  type MoveSource,
  type MoveTarget,
  moveUnderWay,
  outdated,
  quoted,
} from '../move.js';
import { movingVersion } from '../schema.js';
import type { Connection } from './connection.js';
import { type Driver, loadDriver } from './driver.js';
import { isUpToDate, migrate } from './migrate.js';
import { openReadOnly } from './open-read-only.js';
import { prepareFile } from './prepare-file.js';
import { brokenReferences, columnNames, markVersion, tableNames, versionOf } from './schema.js';
import { explain, isBusy } from './sqlite-errors.js';

const newest = migrations.at(-1)?.version ?? 0;

/** Opens a database file to be moved elsewhere. Throws `not_found`, `unavailable` for one of another version or program. */
export async function openSqliteSource(file: string): Promise<MoveSource> {
  if (!existsSync(file)) {
    throw new RuntimeError('not_found', `There is no database ${file}.`, 'Name it by --db or AGENT_RUNTIME_DB_PATH.');
  }
  const driver = await loadDriver();
  try {
    return new SqliteEnd(openCurrent(driver, file), file);
  } catch (error) {
    throw explain(error, file);
  }
}

export interface SqliteTargetOptions {
  file: string;
  /** Where the rows come from: a move that was interrupted goes on from there alone. */
  source: string;
  /** Gives up what another move has left unfinished. */
  startsOver: boolean;
  now: EpochMs;
  log: Log;
}

/**
 * Opens a file to be filled. It gets its name when it is finished, and is `FILE.moving` until then. Throws `conflict` if
 * the name is taken by anything but a database of ours, or an unfinished move from elsewhere is there.
 */
export async function openSqliteTarget(options: SqliteTargetOptions): Promise<MoveTarget> {
  const { file, log } = options;
  const driver = await loadDriver();
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0) return new WholeFile(driver, file);
  if (existsSync(`${file}-wal`)) {
    throw holdsOtherWork(file, `${file}-wal is left of an earlier database`);
  }
  const staged = `${file}.moving`;
  prepareFile(staged, log);
  let connection: Connection | undefined;
  try {
    connection = lockFile(driver, staged);
    if (!isBegun(connection, options)) {
      if (tableNames(connection).length > 0) {
        connection.close();
        connection = undefined;
        for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(staged + suffix, { force: true });
        prepareFile(staged, log);
        connection = lockFile(driver, staged);
      }
      begin(connection, staged, options);
    }
    connection.pragma('foreign_keys = off');
    return new StagedFile(connection, file, staged);
  } catch (error) {
    connection?.close();
    throw isBusy(error) ? moveUnderWay(file) : explain(error, staged);
  }
}

class SqliteEnd implements MoveSource {
  readonly location: string;
  protected readonly connection: Connection;

  constructor(connection: Connection, location: string) {
    this.connection = connection;
    this.location = location;
  }

  readonly all: MoveSource['all'] = async <Found>(text: string, ...values: unknown[]) => {
    try {
      return this.connection.prepare<unknown[], Found>(text).all(...values);
    } catch (error) {
      throw explain(error, this.location);
    }
  };

  async relations(): Promise<Relation[]> {
    const names = this.connection
      .prepare<[], string>("select name from sqlite_master where type in ('table', 'view')")
      .pluck()
      .all();
    return names.map((name) => ({ name, columns: columnNames(this.connection, name) }));
  }

  async lastNumbers(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.all<{ name: string; seq: number }>('select name, seq from sqlite_sequence');
    return new Map(rows.map(({ name, seq }) => [name, seq]));
  }

  async tables(): Promise<Table[]> {
    const keys = this.connection.prepare<[string], string>(
      'select name from pragma_table_info(?) where pk > 0 order by pk',
    );
    return tableNames(this.connection)
      .filter((name) => name !== bookmark)
      .map((name) => ({ name, columns: columnNames(this.connection, name), key: keys.pluck().all(name) }));
  }

  async close(): Promise<void> {
    this.connection.close();
  }
}

/** A target that was finished before, to be compared. */
class WholeFile extends SqliteEnd implements MoveTarget {
  readonly isWhole = true;

  constructor(driver: Driver, file: string) {
    try {
      super(openCurrent(driver, file), file);
    } catch (error) {
      throw explain(error, file);
    }
  }

  async insert(): Promise<void> {
    throw new Error('A database that is whole is only read.');
  }

  readonly empty = this.insert;
  readonly finish = this.insert;
}

class StagedFile extends SqliteEnd implements MoveTarget {
  readonly isWhole = false;
  readonly #staged: string;

  constructor(connection: Connection, file: string, staged: string) {
    super(connection, file);
    this.#staged = staged;
  }

  async insert(table: Table, rows: readonly Row[]): Promise<void> {
    const { name, columns } = table;
    const statement = this.connection.prepare(
      `insert into ${quoted(name)} (${columns.map(quoted).join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    );
    this.#write(() => {
      for (const row of rows) statement.run(...columns.map((column) => row[column]));
    });
  }

  async empty({ name }: Table): Promise<void> {
    this.#write(() => void this.connection.exec(`delete from ${quoted(name)}`));
  }

  async finish(lastNumbers: ReadonlyMap<string, number>): Promise<void> {
    for (const [table, count] of brokenReferences(this.connection)) {
      throw new Error(`${count} rows of ${table} refer to rows that are not there.`);
    }
    this.#write(() => {
      for (const { sql } of readBookmark(this.connection)?.triggers ?? []) this.connection.exec(sql);
      this.#keepNumbers(lastNumbers);
      this.connection.exec(`drop table ${bookmark}`);
      markVersion(this.connection, newest);
    });
    this.connection.close();
    sync(this.#staged);
    if (existsSync(this.location)) rmSync(this.location); // It was empty when this began.
    // A link does not take a name that is taken meanwhile.
    linkSync(this.#staged, this.location);
    rmSync(this.#staged);
  }

  #keepNumbers(lastNumbers: ReadonlyMap<string, number>): void {
    const numbered = this.connection
      .prepare<[], string>("select name from sqlite_master where type = 'table' and sql like '%autoincrement%'")
      .pluck()
      .all();
    const found = this.connection.prepare<[string], number>('select seq from sqlite_sequence where name = ?').pluck();
    for (const name of numbered) {
      const last = Math.max(lastNumbers.get(name) ?? 0, found.get(name) ?? 0);
      this.connection.prepare('delete from sqlite_sequence where name = ?').run(name);
      this.connection.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(name, last);
    }
  }

  #write(body: () => void): void {
    try {
      this.connection.transaction(body).immediate();
    } catch (error) {
      throw explain(error, this.#staged);
    }
  }
}

/** A connection to a database with this program's schema, which reads it as it is at this moment. */
function openCurrent(driver: Driver, file: string): Connection {
  const connection = openReadOnly(driver, file);
  try {
    if (!isUpToDate(connection, { file, now: 0 })) throw outdated(file, versionOf(connection), newest);
    connection.exec('begin');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Whoever has it open has it alone: two moves to one file exclude each other. */
function lockFile(driver: Driver, staged: string): Connection {
  const connection = driver.connect(staged, { timeout: 500 });
  try {
    connection.pragma('locking_mode = exclusive');
    connection.exec('begin exclusive; commit');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The table that says what is under way; it goes when that is done. */
const bookmark = 'unfinished_move';

interface Bookmark {
  source: string;
  version: number;
  /** They are made when all rows are there: what they keep is copied, too. */
  triggers: { name: string; sql: string }[];
}

function readBookmark(connection: Connection): Bookmark | undefined {
  if (!tableNames(connection).includes(bookmark)) return undefined;
  const state = connection.prepare<[], string>(`select state from ${bookmark}`).pluck().get();
  return state === undefined ? undefined : JSON.parse(state);
}

/** Throws `conflict` if what is there is another move's. What was begun by another version is begun anew. */
function isBegun(connection: Connection, { file, source, startsOver }: SqliteTargetOptions): boolean {
  const state = readBookmark(connection);
  if (!state || startsOver) return false;
  if (state.source !== source) throw anotherMove(file, state.source);
  return state.version === newest;
}

function begin(connection: Connection, staged: string, { source, now }: SqliteTargetOptions): void {
  migrate(connection, { file: staged, now });
  connection
    .transaction(() => {
      const triggers = connection
        .prepare<[], { name: string; sql: string }>("select name, sql from sqlite_master where type = 'trigger'")
        .all();
      for (const { name } of triggers) connection.exec(`drop trigger ${quoted(name)}`);
      for (const name of tableNames(connection)) connection.exec(`delete from ${quoted(name)}`);
      connection.exec(`create table ${bookmark} (state text not null) strict`);
      const state: Bookmark = { source, version: newest, triggers };
      connection.prepare(`insert into ${bookmark} (state) values (?)`).run(JSON.stringify(state));
      markVersion(connection, movingVersion);
    })
    .immediate();
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
