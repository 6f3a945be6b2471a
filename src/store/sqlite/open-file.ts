import { statSync } from 'node:fs';
import { RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import { becameNewer } from '../schema.js';
import type { Statement, Value } from '../sql.js';
import type { Connection, PreparedStatement } from './connection.js';
import { toSqlite } from './dialect.js';
import { explain } from './sqlite-errors.js';
import { createWalCheckpointer } from './wal.js';
import type { WalDamage } from './wal-damage.js';

export interface Connections {
  file: string;
  /** The only connection that writes. */
  writer: Connection;
  /** Read-only, so that reads outside a transaction never see rows that may yet be rolled back. */
  reader: Connection;
  log: Log;
  /** The version of the schema that this program knows. */
  knownVersion: number;
  /** What was wrong with its write-ahead log before it was opened. */
  damage?: WalDamage | undefined;
}

/** What has become of the file at a path since it was opened. */
export type FileChange = 'gone' | 'replaced';

/** One opening of the database: two open, migrated connections, their statements, and which file they belong to. */
export class OpenFile {
  readonly damage: WalDamage | undefined;
  readonly writer: Connection;
  readonly reader: Connection;
  readonly writes: Statements;
  readonly reads: Statements;
  readonly begin: PreparedStatement;
  readonly commit: PreparedStatement;
  readonly rollback: PreparedStatement;
  /** To be called after each write. */
  readonly afterWrite: () => void;
  readonly #version: PreparedStatement<[], number>;
  readonly #knownVersion: number;
  readonly #file: string;
  readonly #identity: string | undefined;
  readonly #walIdentity: string | undefined;
  #seenAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor({ file, writer, reader, log, knownVersion, damage }: Connections) {
    for (const connection of [writer, reader]) connection.pragma(`busy_timeout = ${sqliteWaitMs}`);
    this.damage = damage;
    this.writer = writer;
    this.reader = reader;
    this.writes = statementsOf(writer);
    this.reads = statementsOf(reader);
    this.begin = writer.prepare('begin immediate');
    this.commit = writer.prepare('commit');
    this.rollback = writer.prepare('rollback');
    this.#version = writer.prepare<[], number>('pragma user_version').pluck();
    this.#knownVersion = knownVersion;
    this.afterWrite = createWalCheckpointer(writer, file, log);
    // Opens its write-ahead log now: a first read later would make a new one if the file has been moved away by then.
    reader.pragma('schema_version');
    this.#file = file;
    this.#identity = identityOf(file);
    this.#walIdentity = identityOf(`${file}-wal`);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Whether the file at the path is still the one that is open. One stat of some 2 microseconds, which opens nothing;
   * none at all if the last one is younger than `maxAgeMs`.
   */
  isHere(maxAgeMs = 0): boolean {
    if (this.#isClosed) return false;
    const now = performance.now();
    if (maxAgeMs > 0 && now - this.#seenAt < maxAgeMs) return true;
    const isHere = identityOf(this.#file) === this.#identity;
    this.#seenAt = isHere ? now : Number.NEGATIVE_INFINITY;
    return isHere;
  }

  /**
   * Throws `unavailable` if another program has made the schema newer since. Within a transaction that writes nobody else
   * can: it takes a microsecond, as SQLite has the page of the version at hand.
   */
  refuseNewer(): void {
    const found = Number(this.#version.get());
    if (found > this.#knownVersion) throw becameNewer(this.#file, found, this.#knownVersion);
  }

  /** An empty file counts as none: whoever puts a database there has not come far yet. */
  change(): FileChange | undefined {
    if (this.isHere()) return undefined;
    const found = statOf(this.#file);
    return found?.isFile() && found.size > 0 ? 'replaced' : 'gone';
  }

  /**
   * Whether the write-ahead log at the path still belongs to this file: SQLite would apply it to any other one there.
   * Known only while it is open here, as the number of an inode is given to another file later.
   */
  hasLeftItsWal(): boolean {
    return !this.#isClosed && this.#walIdentity !== undefined && identityOf(`${this.#file}-wal`) === this.#walIdentity;
  }

  /**
   * Closes both connections, after the `last` statements if the write lock is free. Of a file that is not at its path any
   * more nothing is written: SQLite leaves out its last checkpoint then too (`databaseIsUnmoved` in its pager.c).
   */
  close(last: readonly Statement[] = []): void {
    if (this.#isClosed) return;
    const mayWrite = this.isHere();
    this.#isClosed = true;
    try {
      if (this.writer.inTransaction) this.rollback.run();
      if (mayWrite && last.length > 0) this.#writeLast(last);
    } finally {
      this.reader.close();
      this.writer.close();
    }
  }

  #writeLast(statements: readonly Statement[]): void {
    const write = this.writer.transaction(() => {
      this.refuseNewer();
      for (const { text, values } of statements) this.writer.prepare(text).run(...values);
    });
    try {
      write.immediate();
    } catch (error) {
      // Another process holds the lock or has made the schema newer, or the disk is full. The leases of this process
      // expire by themselves then.
      if (!(explain(error, this.#file) instanceof RuntimeError)) throw error;
    }
  }
}

/**
 * SQLite's own waiting blocks the JS thread, up to seconds under load, and no heartbeat or reply leaves meanwhile. So
 * SQLite waits 20 ms at most, and the rest is awaited with jitter. This costs 10-20 % at saturation, and the worst wait
 * of 16 processes falls from 1,033 ms to 79 ms.
 */
const sqliteWaitMs = 20;

/** Device and inode: they stay the same when a file changes, and differ for any other file. */
function identityOf(path: string): string | undefined {
  const found = statOf(path);
  return found && `${found.dev}:${found.ino}`;
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // A directory on the way may not be entered any more, or its disk is gone.
    return undefined;
  }
}

export interface Statements {
  all<Row>(text: string, values: readonly Value[]): Row[];
  get<Row>(text: string, values: readonly Value[]): Row | undefined;
  run(text: string, values: readonly Value[]): number;
}

/** Prepares each text once: preparing costs more than running, and the texts are few and fixed. */
function statementsOf(connection: Connection): Statements {
  const prepared = new Map<string, PreparedStatement>();
  function statement(text: string): PreparedStatement {
    let known = prepared.get(text);
    if (!known) {
      known = prepare(connection, text);
      prepared.set(text, known);
    }
    return known;
  }
  return {
    all: <Row>(text: string, values: readonly Value[]) => statement(text).all(...values) as Row[],
    get: <Row>(text: string, values: readonly Value[]) => statement(text).get(...values) as Row | undefined,
    run: (text, values) => statement(text).run(...values).changes,
  };
}

/** Throws for a write that was sent to the reader, where SQLite's own error would look like a read-only disk. */
function prepare(connection: Connection, text: string): PreparedStatement {
  const statement = connection.prepare<unknown[]>(toSqlite(text));
  if (connection.readonly && !statement.readonly) {
    throw new Error(`Only run() and transactions write; all() and get() were given: ${text}`);
  }
  return statement;
}
