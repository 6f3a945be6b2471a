import { setTimeout as sleep } from 'node:timers/promises';
import { RuntimeError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { copyInto } from './backup.js';
import type { Connection } from './driver.js';
import { keepLogShort } from './long-log.js';
import type { Database, Sql, Statement, TransactionOptions } from './sql.js';
import { closedError, explain, isBusy } from './sqlite-errors.js';
import { type Statements, statementsOf } from './statements.js';
import { guardAgainstWaiting } from './transaction-guard.js';

export interface SqliteConnections {
  file: string;
  /** The only connection that writes. */
  writer: Connection;
  /** Read-only, so that reads outside a transaction never see rows that may yet be rolled back. */
  reader: Connection;
  log: Log;
  /** How long a caller waits for its turn and the write lock before it gets `unavailable`. */
  lockDeadlineMs: number;
}

/**
 * SQLite's own waiting sleeps in the JS thread, up to seconds under load, and no heartbeat or reply leaves meanwhile.
 * So SQLite waits 20 ms at most and the rest is awaited here, jittered: it costs 10-20 % at saturation, and the worst
 * wait of 16 processes falls from 1,033 ms to 79 ms.
 */
const sqliteWaitMs = 20;
const jitterMs = 8;

/** A database over two open, migrated connections; it owns them from here on. */
export function sqliteDatabase({ file, writer, reader, log, lockDeadlineMs }: SqliteConnections): Database {
  for (const connection of [writer, reader]) connection.pragma(`busy_timeout = ${sqliteWaitMs}`);
  const writes = statementsOf(writer);
  const reads = statementsOf(reader);
  const begin = writer.prepare('begin immediate');
  const commit = writer.prepare('commit');
  const rollback = writer.prepare('rollback');
  const afterWrite = keepLogShort(writer, file, log);
  let isClosed = false;
  let lastWrite: Promise<unknown> = Promise.resolve();

  /** Writers of this process take turns, in the order in which they asked; the wait for a turn counts as waiting. */
  function inTurn<Result>(work: (askedAt: number) => Promise<Result>): Promise<Result> {
    const askedAt = performance.now();
    const turn = lastWrite.then(() => work(askedAt));
    lastWrite = turn.then(afterWrite, () => {});
    return turn;
  }

  async function patiently<Result>(attempt: () => Result, askedAt = performance.now()): Promise<Result> {
    for (;;) {
      if (isClosed) throw closedError(file);
      try {
        return attempt();
      } catch (error) {
        const waitedMs = performance.now() - askedAt;
        if (!isBusy(error) || waitedMs > lockDeadlineMs) throw explain(error, file, waitedMs);
      }
      await sleep(Math.random() * jitterMs);
    }
  }

  async function transact<Result>(
    body: (sql: Sql) => Promise<Result>,
    { durable = false }: TransactionOptions,
    askedAt: number,
  ): Promise<Result> {
    const guard = guardAgainstWaiting();
    const gate = { isOpen: true };
    try {
      await patiently(() => {
        // The level cannot change inside a transaction.
        if (durable) writer.pragma('synchronous = full');
        begin.run();
      }, askedAt);
      guard.arm();
      const result = await Promise.race([body(gated(writes, gate, writer)), guard.violation]);
      gate.isOpen = false;
      commit.run();
      return result;
    } catch (error) {
      gate.isOpen = false;
      if (isClosed) throw closedError(file);
      if (writer.inTransaction) rollback.run();
      throw explain(error, file);
    } finally {
      guard.disarm();
      if (durable && writer.open) writer.pragma('synchronous = normal');
    }
  }

  return {
    location: file,
    all: (text, ...values) => patiently(() => reads.all(text, values)),
    get: (text, ...values) => patiently(() => reads.get(text, values)),
    run: (text, ...values) => inTurn((askedAt) => patiently(() => writes.run(text, values), askedAt)),
    transaction: (body, options = {}) => inTurn((askedAt) => transact(body, options, askedAt)),
    backup: (path) => patiently(() => copyInto(reader, path)),
    check: () => patiently(() => findDamage(reader)),

    close(last = []) {
      if (isClosed) return;
      isClosed = true;
      try {
        if (writer.inTransaction) rollback.run();
        if (last.length > 0) writeLast(writer, last, file);
      } finally {
        reader.close();
        writer.close();
      }
    },
  };
}

/**
 * The `sql` of one transaction, dead once that has ended. SQLite ends one by itself when the disk is full; a body that
 * caught that error would otherwise go on writing outside of any transaction.
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
    // Another process holds the lock or the disk is full: the leases of this process lapse by themselves.
    if (!(explain(error, file) instanceof RuntimeError)) throw error;
  }
}
