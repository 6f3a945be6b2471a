/**
 * A value of a statement's `?`. Booleans are given as 0 and 1, times as epoch milliseconds, JSON as text, contents of files
 * as bytes.
 */
export type Value = string | number | null | Uint8Array;

/**
 * A database as the domain sees it: one statement at a time, with `?` for each value. It is async, so that the same
 * operations can serve an embedded and a networked engine.
 */
export interface Sql {
  all<Row>(text: string, ...values: Value[]): Promise<Row[]>;
  get<Row>(text: string, ...values: Value[]): Promise<Row | undefined>;
  /** Runs a writing statement; resolves to the number of rows changed. */
  run(text: string, ...values: Value[]): Promise<number>;
  /**
   * A write whose result nobody needs. In a transaction it may travel with the next statement or with the commit; if it
   * fails, the transaction fails.
   */
  send(text: string, ...values: Value[]): Promise<void>;
  /**
   * From here on no other transaction writes. One that began beside others is undone and run again as the only one, so
   * call it before anything that its row locks do not cover.
   */
  alone(): Promise<void>;
}

export interface TransactionOptions {
  /** Waits until the commit is on the disk, so that a power cut cannot undo it. For results that cost money. */
  durable?: boolean;
  /**
   * It locks what it decides by (`for update`), so that on a networked engine it may run beside others that do the same.
   * All others run one after the other. `body` may be run again, so it must leave nothing behind but rows.
   */
  beside?: boolean;
}

export interface Database extends Sql {
  /** The file, or the address without its secrets. */
  readonly location: string;
  readonly engine: 'sqlite' | 'postgres';
  /**
   * Runs `body` as the only writer of all processes, unless it may run `beside` others, and keeps all of its changes or
   * none. `body` awaits nothing but the `sql` it is given: a timer, a spawn or a model call inside is an error.
   */
  transaction<Result>(body: (sql: Sql) => Promise<Result>, options?: TransactionOptions): Promise<Result>;
  /** Whether several hosts may use it, so that a file of one is none of the others'. */
  readonly isShared: boolean;
  /** In which order events can be read on, so that none is missed. */
  readonly eventOrder: EventOrder;
  /** Milliseconds by which the engine's clock is ahead of this host's; 0 for an engine of this host. */
  clockOffset(): number;
  /**
   * Milliseconds since this process has reached the engine again, after a time in which it could not or did not ask.
   * About what others did before, it knows nothing. Infinity for an engine of this host.
   */
  inTouchMs(): number;
  /** What the name of a backup ends with. */
  readonly backupExtension: string;
  /**
   * Writes a consistent copy to `path`, private to its owner, while others go on writing. Throws `conflict` if the path
   * is taken, `unavailable` if it cannot be written.
   */
  backup(path: string): Promise<void>;
  /** Looks for damage that ordinary statements would not notice. Resolves to the first problem, or to undefined. */
  check(): Promise<string | undefined>;
  /**
   * Whether the database at `location` is still the one that is open, and not moved, deleted or replaced. If it is not,
   * every call throws `unavailable` and nothing is written, until the database is back or another one is in its place.
   */
  isHere(): boolean;
  /** What it takes on the disk, with what is logged ahead of it, in bytes. */
  sizeBytes(): Promise<number>;
  /** What was lost before the database was opened here, in words; undefined if nothing is known to be. */
  lossAtOpening(): string | undefined;
  /**
   * Closes at once, after the `last` statements if the write lock is free. Synchronous, because a server that is asked
   * to end has some 100 ms before it is killed; a networked engine has handed them to the system by then.
   */
  close(last?: readonly Statement[]): void;
}

export interface Statement {
  text: string;
  values: readonly Value[];
}

/** Parts of statements that read `events` in the order in which they became readable. */
export interface EventOrder {
  columns(direction: 'asc' | 'desc'): string;
  /** A condition: no event can appear before it any more. */
  isReadable: string;
  /** A condition: it is readable, and behind the event whose id is the value. */
  isBehind: string;
}
