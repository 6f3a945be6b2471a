import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import type { Database, EventOrder, Sql, TransactionOptions } from '../sql.js';
import { guardAgainstWaiting } from '../transaction-guard.js';
import { copyInto, newestBackup } from './backup.js';
import type { Connection } from './connection.js';
import { findLockHolder } from './lock-holder.js';
import { longestPause } from './lock-pause.js';
import type { FileChange, OpenFile, Statements } from './open-file.js';
import { closedError, explain, fileChanged, isBusy, stayedLocked } from './sqlite-errors.js';
import { explainWalDamage } from './wal-damage.js';

export interface SqliteNeeds {
  file: string;
  /** Where the newest backup is looked for when the file is gone. */
  backupDir: string;
  opened: OpenFile;
  /** Opens the file that stands at the path now, in place of the one that was open. Throws if it is not sound or not ours. */
  reopen(): Promise<OpenFile>;
  log: Log;
  /** What a process is to this program, for an error that names it. */
  nameProcess?: NameProcess | undefined;
  /** How long a caller waits for its turn and the write lock before it gets `unavailable`, in milliseconds. */
  lockDeadlineMs: number;
}

/** Resolves to words such as `a session of claude-code`; undefined for a process that is not of this program. */
export type NameProcess = (read: Pick<Database, 'all'>, pid: number) => Promise<string | undefined>;

/** How old a look at the file may be for a read; every write looks anew. */
const readLookMs = 100;
/** Between two tries to open what stands in the place of the file. */
const reopenPauseMs = 1_000;

/** A database over an open file, which it closes in the end. */
export const sqliteDatabase = (needs: SqliteNeeds): Database => new SqliteDatabase(needs);

class SqliteDatabase implements Database {
  readonly location: string;
  readonly engine = 'sqlite';
  readonly isShared = false;
  readonly eventOrder = eventOrder;
  readonly backupExtension = '.db';
  readonly #needs: SqliteNeeds;
  #opened: OpenFile;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** Whether the file was found to be gone, and has not come back. */
  #isLost = false;
  #reopening: Promise<OpenFile> | undefined;
  #reopenAt = 0;
  #refusal: unknown;

  constructor(needs: SqliteNeeds) {
    this.location = needs.file;
    this.#needs = needs;
    this.#opened = needs.opened;
  }

  readonly all: Database['all'] = (text, ...values) => this.#read(({ reads }) => reads.all(text, values));

  readonly get: Database['get'] = (text, ...values) => this.#read(({ reads }) => reads.get(text, values));

  readonly run: Database['run'] = (text, ...values) => this.transaction((sql) => sql.run(text, ...values));

  readonly send: Database['send'] = async (text, ...values) => {
    await this.run(text, ...values);
  };

  /** Whoever writes here is alone: the file has one writer. */
  readonly alone: Database['alone'] = async () => {};

  readonly clockOffset: Database['clockOffset'] = () => 0;

  readonly inTouchMs: Database['inTouchMs'] = () => Number.POSITIVE_INFINITY;

  readonly transaction: Database['transaction'] = (body, options = {}) =>
    this.#inTurn((askedAt) => this.#transact(body, options, askedAt));

  readonly check: Database['check'] = () => this.#read(({ reader }) => findDamage(reader));

  /** Also of a file that was deleted: as long as it is open here, its contents can be saved. */
  readonly backup: Database['backup'] = (path) =>
    this.#opened.isClosed
      ? this.#read(({ reader }) => copyInto(reader, path))
      : this.#untilFree(() => copyInto(this.#opened.reader, path));

  readonly isHere: Database['isHere'] = () => this.#opened.isHere();

  /** The newest changes are in the write-ahead log. */
  readonly sizeBytes: Database['sizeBytes'] = async () => {
    const paths = [this.location, `${this.location}-wal`];
    return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  };

  readonly lossAtOpening: Database['lossAtOpening'] = () =>
    this.#opened.damage && explainWalDamage(this.#opened.damage);

  readonly close: Database['close'] = (last = []) => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#opened.close(last);
  };

  /** Writers of this process take turns in the order in which they asked. Waiting for a turn counts as waiting. */
  #inTurn<Result>(work: (askedAt: number) => Promise<Result>): Promise<Result> {
    const askedAt = performance.now();
    const turn = this.#lastWrite.then(() => work(askedAt));
    this.#lastWrite = turn.then(
      () => this.#opened.afterWrite(),
      () => {},
    );
    return turn;
  }

  #read<Result>(attempt: (opened: OpenFile) => Result): Promise<Result> {
    return this.#patiently(attempt, performance.now(), readLookMs);
  }

  /** Makes an attempt with the file that is at the path, opened anew if need be, once no other process locks it. */
  #patiently<Result>(attempt: (opened: OpenFile) => Result, askedAt: number, maxAgeMs = 0): Promise<Result> {
    return this.#untilFree(
      () => (this.#isOpenedHere(maxAgeMs) ? attempt(this.#opened) : this.#recovered().then(attempt)),
      askedAt,
    );
  }

  /** Repeats an attempt while another process holds the lock, up to the deadline. */
  async #untilFree<Result>(attempt: () => Result | Promise<Result>, askedAt = performance.now()): Promise<Result> {
    for (;;) {
      let waitedMs: number;
      if (this.#isClosed) throw closedError(this.location);
      try {
        return await attempt();
      } catch (error) {
        waitedMs = performance.now() - askedAt;
        if (!isBusy(error)) throw explain(error, this.location);
        if (waitedMs > this.#needs.lockDeadlineMs) throw await this.#stayedLocked(error, waitedMs);
      }
      await sleep(Math.random() * longestPause(waitedMs, this.#needs.lockDeadlineMs));
    }
  }

  async #stayedLocked(error: unknown, waitedMs: number): Promise<RuntimeError> {
    const { file, nameProcess } = this.#needs;
    const holder = findLockHolder(file);
    const name = holder && (await nameProcess?.(this, holder.pid).catch(() => undefined));
    return stayedLocked(error, { file, waitedMs, holder, ...(name === undefined ? {} : { name }) });
  }

  async #transact<Result>(
    body: (sql: Sql) => Promise<Result>,
    { durable = false }: TransactionOptions,
    askedAt: number,
  ): Promise<Result> {
    const guard = guardAgainstWaiting();
    const gate = { isOpen: true };
    let opened = this.#opened;
    try {
      opened = await this.#untilFree(() => this.#begin(durable), askedAt);
      guard.arm();
      const result = await Promise.race([body(gated(opened.writes, gate, opened.writer)), guard.violation]);
      gate.isOpen = false;
      opened.commit.run();
      return result;
    } catch (error) {
      gate.isOpen = false;
      if (this.#isClosed) throw closedError(this.location);
      if (opened.writer.inTransaction) opened.rollback.run();
      throw explain(error, this.location);
    } finally {
      guard.disarm();
      if (durable && opened.writer.open) opened.writer.pragma('synchronous = normal');
    }
  }

  /** Begins a transaction. The file is looked at with the lock held, as the wait for it may have been long. */
  #begin(durable: boolean): OpenFile | Promise<OpenFile> {
    const opened = this.#opened;
    if (!opened.isClosed) {
      // The level cannot change inside a transaction.
      if (durable) opened.writer.pragma('synchronous = full');
      opened.begin.run();
      if (this.#isOpenedHere()) return this.#known(opened);
      opened.rollback.run();
    }
    return this.#recovered().then(() => this.#begin(durable));
  }

  /** A schema that this program does not know is not written to. */
  #known(opened: OpenFile): OpenFile {
    try {
      opened.refuseNewer();
      return opened;
    } catch (error) {
      opened.rollback.run();
      throw error;
    }
  }

  #isOpenedHere(maxAgeMs = 0): boolean {
    if (!this.#opened.isHere(maxAgeMs)) return false;
    if (this.#isLost) this.#needs.log.warn('the database is at its path again', { file: this.location });
    this.#isLost = false;
    return true;
  }

  /** The file is not the one that is open: goes on if it has come back, opens another one in its place, or throws. */
  #recovered(): Promise<OpenFile> {
    this.#reopening ??= this.#recover().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #recover(): Promise<OpenFile> {
    const { log } = this.#needs;
    const file = this.location;
    const change = this.#opened.change();
    if (change === undefined) return this.#opened;
    if (!this.#isLost) log.error('the database was moved, deleted or replaced under this process', { file, change });
    this.#isLost = true;
    if (change === 'gone') throw this.#changed(change);
    if (this.#opened.hasLeftItsWal()) throw this.#changed('wal-left');
    // A transaction on the earlier file ends by itself; whoever comes next opens the new one.
    if (!this.#opened.isClosed && this.#opened.writer.inTransaction) throw this.#changed(change);
    await this.#openOther();
    throw this.#changed('switched');
  }

  /** The earlier file is closed first: SQLite knows the -shm beside both by its path, and would empty it under us. */
  async #openOther(): Promise<void> {
    if (performance.now() < this.#reopenAt) throw this.#refusal;
    this.#opened.close();
    try {
      this.#opened = await this.#needs.reopen();
    } catch (error) {
      this.#refusal = this.#changed('replaced', error);
      this.#reopenAt = performance.now() + reopenPauseMs;
      throw this.#refusal;
    }
    // The process may have been asked to end meanwhile.
    if (this.#isClosed) this.#opened.close();
    this.#isLost = false;
    this.#needs.log.warn('another database stands in the place of the earlier one and is used from now on', {
      file: this.location,
    });
  }

  #changed(how: FileChange | 'wal-left' | 'switched', cause?: unknown): RuntimeError {
    return fileChanged(how, { file: this.location, backup: newestBackup(this.#needs.backupDir), cause });
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
    send: async (text, ...values) => void through().run(text, values),
    alone: async () => {},
  };
}

/** A file has one writer at a time, so ids grow in the order of commits. */
const eventOrder: EventOrder = {
  columns: (direction) => `id ${direction}`,
  isReadable: 'id > 0',
  isBehind: 'id > ?',
};

function findDamage(connection: Connection): string | undefined {
  const verdict = String(connection.pragma('quick_check(1)', { simple: true }));
  return verdict === 'ok' ? undefined : verdict;
}
