import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { copyInto } from './backup.js';
import type { Connection, PreparedStatement } from './connection.js';
import type { Database, Sql, Statement, TransactionOptions, Value } from './sql.js';
import { closedError, explain, isBusy } from './sqlite-errors.js';
import { guardAgainstWaiting } from './transaction-guard.js';
import { createWalCheckpointer } from './wal.js';

export interface SqliteConnections {
  file: string;
  /** The only connection that writes. */
  writer: Connection;
  /** Read-only, so that reads outside a transaction never see rows that may yet be rolled back. */
  reader: Connection;
  log: Log;
  /** How long a caller waits for its turn and the write lock before it gets `unavailable`, in milliseconds. */
  lockDeadlineMs: number;
}

/**
 * SQLite's own waiting blocks the JS thread, up to seconds under load, and no heartbeat or reply leaves meanwhile. So
 * SQLite waits 20 ms at most, and the rest is awaited here with jitter. This costs 10-20 % at saturation, and the worst
 * wait of 16 processes falls from 1,033 ms to 79 ms.
 */
const sqliteWaitMs = 20;
const jitterMs = 8;

/** Creates a database over two open, migrated connections, which it closes in the end. */
export const sqliteDatabase = (connections: SqliteConnections): Database => new SqliteDatabase(connections);

class SqliteDatabase implements Database {
  readonly location: string;
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #writes: Statements;
  readonly #reads: Statements;
  readonly #begin: PreparedStatement;
  readonly #commit: PreparedStatement;
  readonly #rollback: PreparedStatement;
  readonly #lockDeadlineMs: number;
  readonly #afterWrite: () => void;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor({ file, writer, reader, log, lockDeadlineMs }: SqliteConnections) {
    for (const connection of [writer, reader]) connection.pragma(`busy_timeout = ${sqliteWaitMs}`);
    this.location = file;
    this.#writer = writer;
    this.#reader = reader;
    this.#writes = statementsOf(writer);
    this.#reads = statementsOf(reader);
    this.#begin = writer.prepare('begin immediate');
    this.#commit = writer.prepare('commit');
    this.#rollback = writer.prepare('rollback');
    this.#lockDeadlineMs = lockDeadlineMs;
    this.#afterWrite = createWalCheckpointer(writer, file, log);
  }

  readonly all: Database['all'] = (text, ...values) => this.#patiently(() => this.#reads.all(text, values));

  readonly get: Database['get'] = (text, ...values) => this.#patiently(() => this.#reads.get(text, values));

  readonly run: Database['run'] = (text, ...values) =>
    this.#inTurn((askedAt) => this.#patiently(() => this.#writes.run(text, values), askedAt));

  readonly transaction: Database['transaction'] = (body, options = {}) =>
    this.#inTurn((askedAt) => this.#transact(body, options, askedAt));

  readonly backup: Database['backup'] = (path) => this.#patiently(() => copyInto(this.#reader, path));

  readonly check: Database['check'] = () => this.#patiently(() => findDamage(this.#reader));

  readonly close: Database['close'] = (last = []) => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (this.#writer.inTransaction) this.#rollback.run();
      if (last.length > 0) writeLast(this.#writer, last, this.location);
    } finally {
      this.#reader.close();
      this.#writer.close();
    }
  };

  /** Writers of this process take turns in the order in which they asked. Waiting for a turn counts as waiting. */
  #inTurn<Result>(work: (askedAt: number) => Promise<Result>): Promise<Result> {
    const askedAt = performance.now();
    const turn = this.#lastWrite.then(() => work(askedAt));
    this.#lastWrite = turn.then(this.#afterWrite, () => {});
    return turn;
  }

  /** Repeats an attempt while another process holds the lock, up to the deadline. */
  async #patiently<Result>(attempt: () => Result, askedAt = performance.now()): Promise<Result> {
    for (;;) {
      if (this.#isClosed) throw closedError(this.location);
      try {
        return attempt();
      } catch (error) {
        const waitedMs = performance.now() - askedAt;
        if (!isBusy(error) || waitedMs > this.#lockDeadlineMs) throw explain(error, this.location, waitedMs);
      }
      await sleep(Math.random() * jitterMs);
    }
  }

  async #transact<Result>(
    body: (sql: Sql) => Promise<Result>,
    { durable = false }: TransactionOptions,
    askedAt: number,
  ): Promise<Result> {
    const writer = this.#writer;
    const guard = guardAgainstWaiting();
    const gate = { isOpen: true };
    try {
      await this.#patiently(() => {
        // The level cannot change inside a transaction.
        if (durable) writer.pragma('synchronous = full');
        this.#begin.run();
      }, askedAt);
      guard.arm();
      const result = await Promise.race([body(gated(this.#writes, gate, writer)), guard.violation]);
      gate.isOpen = false;
      this.#commit.run();
      return result;
    } catch (error) {
      gate.isOpen = false;
      if (this.#isClosed) throw closedError(this.location);
      if (writer.inTransaction) this.#rollback.run();
      throw explain(error, this.location);
    } finally {
      guard.disarm();
      if (durable && writer.open) writer.pragma('synchronous = normal');
    }
  }
}

/**
 * The `sql` of one transaction, which throws once that has ended. SQLite ends a transaction by itself when the disk is
 * full: a body that caught that error would otherwise go on writing outside of any transaction.
 */
function gated(statements: Statements, gate: { isOpen: boolean }, writer: Connection): Sql {
  const through = () => {
    if (!gate.isOpen || !writer.inTransaction) throw new Error('This transaction has ended; its sql must not be kept.');
    return statements;
  };
  return {
    all: async (text, ...values) => through().all(text, values),
    get: async (text, ...values) => through().get(text, values),
    run: async (text, ...values) => through().run(text, values),
  };
}

function findDamage(connection: Connection): string | undefined {
  const verdict = String(connection.pragma('quick_check(1)', { simple: true }));
  return verdict === 'ok' ? undefined : verdict;
}

function writeLast(writer: Connection, statements: readonly Statement[], file: string): void {
  try {
    writer
      .transaction(() => {
        for (const { text, values } of statements) writer.prepare(text).run(...values);
      })
      .immediate();
  } catch (error) {
    // Another process holds the lock, or the disk is full. The leases of this process expire by themselves then.
    if (!(explain(error, file) instanceof RuntimeError)) throw error;
  }
}

interface Statements {
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
  const statement = connection.prepare<unknown[]>(text);
  if (connection.readonly && !statement.readonly) {
    throw new Error(`Only run() and transactions write; all() and get() were given: ${text}`);
  }
  return statement;
}
