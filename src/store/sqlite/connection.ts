/** What the store uses of better-sqlite3's connections; `node-sqlite.ts` gives the other drivers the same methods. */
export interface Connection {
  readonly open: boolean;
  readonly readonly: boolean;
  readonly inTransaction: boolean;
  prepare<Values extends unknown[] = unknown[], Row = unknown>(text: string): PreparedStatement<Values, Row>;
  exec(text: string): unknown;
  pragma(text: string, options?: { simple?: boolean }): unknown;
  transaction<Result>(body: () => Result): { (): Result; immediate(): Result };
  /** Gives the file at `path` the contents of this database, in one transaction of that file. */
  backup(path: string): Promise<unknown>;
  close(): unknown;
}

export interface PreparedStatement<Values extends unknown[] = unknown[], Row = unknown> {
  /** Whether it returns rows. */
  readonly reader: boolean;
  /** Whether it leaves the database as it is. */
  readonly readonly: boolean;
  run(...values: Values): { changes: number };
  get(...values: Values): Row | undefined;
  all(...values: Values): Row[];
  /** From here on, rows are the values of their first column. */
  pluck(): this;
}

export interface ConnectionOptions {
  readonly?: boolean;
  fileMustExist?: boolean;
  /** How long SQLite itself waits for a lock, in milliseconds; 5 s by default. */
  timeout?: number;
}

export type Connect = (file: string, options?: ConnectionOptions) => Connection;
