import { existsSync } from 'node:fs';
import type { backup, DatabaseSync, DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import type { Connect, Connection, ConnectionOptions, PreparedStatement } from './connection.js';

/** A module with the interface of node:sqlite (nodejs.org/api/sqlite.html). */
interface NodeSqlite {
  DatabaseSync: typeof DatabaseSync;
  backup: typeof backup;
}

/** Opens connections by node:sqlite or a package with its interface; they behave as those of better-sqlite3. */
export function connectWith(sqlite: NodeSqlite): Connect {
  return (file, options) => new NodeConnection(sqlite, file, options);
}

class NodeConnection implements Connection {
  readonly readonly: boolean;
  readonly #sqlite: NodeSqlite;
  readonly #database: DatabaseSyncInstance;

  constructor(sqlite: NodeSqlite, file: string, options: ConnectionOptions = {}) {
    const { readonly = false, fileMustExist = false, timeout = 5_000 } = options;
    if (fileMustExist && !existsSync(file)) {
      throw Object.assign(new Error('unable to open database file'), { code: 'SQLITE_CANTOPEN' });
    }
    this.readonly = readonly;
    this.#sqlite = sqlite;
    this.#database = naming(() => new sqlite.DatabaseSync(file, { readOnly: readonly, timeout }));
  }

  get open(): boolean {
    return this.#database.isOpen;
  }

  get inTransaction(): boolean {
    return this.open && this.#database.isTransaction;
  }

  prepare<Values extends unknown[], Row>(text: string): PreparedStatement<Values, Row> {
    return new NodeStatement<Values, Row>(
      naming(() => this.#database.prepare(text)),
      text,
    );
  }

  exec(text: string): void {
    naming(() => this.#database.exec(text));
  }

  pragma(text: string, { simple = false } = {}): unknown {
    const rows = this.prepare<[], object>(`pragma ${text}`).all();
    return simple ? firstColumn(rows[0]) : rows;
  }

  transaction<Result>(body: () => Result) {
    const beginning = (begin: string) => (): Result => {
      this.exec(begin);
      try {
        const result = body();
        this.exec('commit');
        return result;
      } catch (error) {
        if (this.inTransaction) this.exec('rollback');
        throw error;
      }
    };
    return Object.assign(beginning('begin'), { immediate: beginning('begin immediate') });
  }

  async backup(path: string): Promise<void> {
    await this.#sqlite.backup(this.#database, path).catch((error) => Promise.reject(named(error)));
  }

  close(): void {
    if (this.open) this.#database.close();
  }
}

class NodeStatement<Values extends unknown[], Row> implements PreparedStatement<Values, Row> {
  readonly readonly: boolean;
  readonly #statement: StatementSyncInstance;
  /**
   * The module's own rows are slow objects: they take twice as long to make, and each use of them several times as long.
   * Only where it counts how often a statement was prepared again, as its columns may be others then.
   */
  readonly #givesArrays: boolean;
  #rowOf: ((values: unknown[]) => Row) | undefined;
  #preparedAgain = 0;
  #isPlucked = false;

  constructor(statement: StatementSyncInstance, text: string) {
    this.#statement = statement;
    this.#givesArrays = typeof statement.setReturnArrays === 'function' && typeof statement.stat === 'function';
    if (this.#givesArrays) statement.setReturnArrays(true);
    this.readonly = /^\s*(select|values|pragma|explain|with\b(?!.*\b(insert|update|delete)\b))/is.test(text);
  }

  get reader(): boolean {
    return this.#statement.columns().length > 0;
  }

  run(...values: Values): { changes: number } {
    return naming(() => this.#statement.run(...values.map(withoutNul)));
  }

  get(...values: Values): Row | undefined {
    const found = this.#read(() => this.#statement.get(...values.map(withoutNul)));
    return found === undefined ? undefined : this.#toRows([found])[0];
  }

  all(...values: Values): Row[] {
    const found = this.#read(() => this.#statement.all(...values.map(withoutNul)));
    return found.length === 0 ? [] : this.#toRows(found);
  }

  pluck(): this {
    this.#isPlucked = true;
    return this;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a row is what the statement's text makes it.
  #toRows(found: any[]): Row[] {
    if (this.#isPlucked) return found.map(this.#givesArrays ? ([first]) => first : firstColumn);
    return this.#givesArrays ? found.map(this.#maker()) : found;
  }

  /** Another process may change a table while it is open here: SQLite then prepares `select *` again by itself. */
  #maker(): (values: unknown[]) => Row {
    const preparedAgain = this.#statement.stat('reprepare');
    if (!this.#rowOf || preparedAgain !== this.#preparedAgain) {
      this.#preparedAgain = preparedAgain;
      this.#rowOf = rowMaker<Row>(this.#statement.columns().map(({ name }) => name));
    }
    return this.#rowOf;
  }

  /** An integer beyond 2^53 is an error to node:sqlite; better-sqlite3 rounds it. */
  #read<Found>(read: () => Found): Found {
    try {
      return naming(read);
    } catch (error) {
      if (!this.readonly || (error as NodeJS.ErrnoException).code !== 'ERR_OUT_OF_RANGE') throw error;
    }
    this.#statement.setReadBigInts(true);
    try {
      return roundBigInts(naming(read)) as Found;
    } finally {
      this.#statement.setReadBigInts(false);
    }
  }
}

/** Makes objects of one hidden class: copied whole from the first, then filled. */
function rowMaker<Row>(names: readonly string[]): (values: unknown[]) => Row {
  const first = JSON.parse(JSON.stringify(Object.fromEntries(names.map((name) => [name, null]))));
  return (values) => {
    const row = { ...first };
    for (let index = 0; index < names.length; index++) row[names[index] as string] = values[index];
    return row;
  };
}

function roundBigInts(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(roundBigInts);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, roundBigInts(inner)]));
}

/** @photostructure/sqlite would cut a text off at its first NUL. */
function withoutNul(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
}

// biome-ignore lint/suspicious/noExplicitAny: a row is what the statement's text makes it.
function firstColumn(row: any): any {
  return row === undefined ? undefined : Object.values(row)[0];
}

function naming<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw named(error);
  }
}

/** Gives an error of SQLite the `code` that better-sqlite3 would, in place of ERR_SQLITE_ERROR. */
function named(error: unknown): unknown {
  if (!(error instanceof Error && 'errcode' in error)) return error;
  const result = Number(error.errcode);
  return Object.assign(error, { code: `SQLITE_${extendedNames[result] ?? names[result & 0xff] ?? 'ERROR'}` });
}

/** By result code, from 0 (sqlite.org/rescode.html). */
const names =
  'OK ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN PROTOCOL EMPTY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB'.split(
    ' ',
  );

/** The extended codes that are told apart; the low byte of any is the code that it extends. */
const extendedNames: Record<number, string> = {
  261: 'BUSY_RECOVERY',
  517: 'BUSY_SNAPSHOT',
  275: 'CONSTRAINT_CHECK',
  787: 'CONSTRAINT_FOREIGNKEY',
  1299: 'CONSTRAINT_NOTNULL',
  1555: 'CONSTRAINT_PRIMARYKEY',
  2067: 'CONSTRAINT_UNIQUE',
  3091: 'CONSTRAINT_DATATYPE',
  4874: 'IOERR_SHMSIZE',
};
