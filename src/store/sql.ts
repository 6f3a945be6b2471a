/** What a statement may be given: text, a number, or nothing. Booleans are 0 and 1, times epoch milliseconds, JSON text. */
export type Value = string | number | null;

/**
 * What the domain sees of a database: one statement at a time, `?` for each value.
 * All of it is async, so that one set of operations can serve an embedded and a networked engine.
 */
export interface Sql {
  all<Row>(text: string, ...values: Value[]): Promise<Row[]>;
  get<Row>(text: string, ...values: Value[]): Promise<Row | undefined>;
  /** Runs a writing statement; resolves to the number of rows changed. */
  run(text: string, ...values: Value[]): Promise<number>;
}

export interface TransactionOptions {
  /** Waits until the commit is on the disk, so that a power cut cannot undo it: for results that were paid for. */
  durable?: boolean;
}

export interface Database extends Sql {
  /** The file, or the address without its secrets. */
  readonly location: string;
  /**
   * Runs `body` alone: no other writer of any process is active meanwhile, and all of it is kept or none.
   * `body` awaits nothing but the `sql` it is given; a timer, a spawn or a model call inside is an error.
   */
  transaction<Result>(body: (sql: Sql) => Promise<Result>, options?: TransactionOptions): Promise<Result>;
  /**
   * Writes a consistent copy to `path`, private to its owner, while others go on writing. Throws `conflict` if the path
   * is taken, `unavailable` if it cannot be written.
   */
  backup(path: string): Promise<void>;
  /** Finds damage that ordinary statements would not notice; resolves to the first problem, or to nothing. */
  check(): Promise<string | undefined>;
  /**
   * Ends at once, after `last` statements if the write lock is free. Synchronous, because a server that is told to
   * end has some 100 ms before it is killed.
   */
  close(last?: readonly Statement[]): void;
}

export interface Statement {
  text: string;
  values: readonly Value[];
}
