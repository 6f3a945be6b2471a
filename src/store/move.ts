import { createHash } from 'node:crypto';
import { RuntimeError } from '../base/errors.js';
import type { Value } from './sql.js';

export type Cell = Value | Uint8Array;
export type Row = Readonly<Record<string, Cell>>;

/** A table or a view of ours. */
export interface Relation {
  name: string;
  columns: readonly string[];
}

export interface Table extends Relation {
  /** The columns of its primary key, in order. */
  key: readonly string[];
}

interface MoveEnd {
  /** The file, or the address without its secrets. */
  readonly location: string;
  all<Found>(text: string, ...values: Value[]): Promise<Found[]>;
  close(): Promise<void>;
}

/** A database that is read, at one moment. Nothing in it changes. */
export interface MoveSource extends MoveEnd {
  relations(): Promise<Relation[]>;
  /** The last id that was given, by table: those of deleted rows are not given again. */
  lastNumbers(): Promise<ReadonlyMap<string, number>>;
}

/** A database that is filled. No program opens it before `finish`. */
export interface MoveTarget extends MoveEnd {
  /** It was finished before: then it is only compared. */
  readonly isWhole: boolean;
  tables(): Promise<Table[]>;
  /** All of the rows or none. */
  insert(table: Table, rows: readonly Row[]): Promise<void>;
  empty(table: Table): Promise<void>;
  /** Checks references, and makes it a database like any other: all of it or nothing. */
  finish(lastNumbers: ReadonlyMap<string, number>): Promise<void>;
}

export interface MovedTable {
  table: string;
  rows: number;
}

/**
 * Copies every table of `source` that `target` has, compares both row by row, and finishes the target. The tables are
 * read from the schema; a view of the source fills a table of the target. A move that was interrupted goes on behind the
 * last row that arrived; a table whose earlier rows have changed since is copied anew. Throws `conflict` if the target is
 * whole and holds anything else than the source.
 */
export async function moveDatabase(
  source: MoveSource,
  target: MoveTarget,
  onTable: (table: string) => void = () => {},
): Promise<MovedTable[]> {
  const tables = await tablesToMove(source, target);
  const moved: MovedTable[] = [];
  for (const table of tables) {
    onTable(table.name);
    if (!target.isWhole) await copyRest(source, target, table);
    const here = await summaryOf(source, table);
    if (!(await isSame(here, target, table))) {
      if (target.isWhole) throw holdsOtherWork(target.location, `its table ${table.name} differs from the source`);
      await target.empty(table);
      await copyRest(source, target, table);
      if (!(await isSame(here, target, table))) {
        throw new Error(
          `Table ${table.name} of ${target.location} differs from ${source.location} after it was copied.`,
        );
      }
    }
    moved.push({ table: table.name, rows: here.rows });
  }
  if (!target.isWhole) await target.finish(await source.lastNumbers());
  return moved;
}

export function holdsOtherWork(location: string, what: string): RuntimeError {
  return new RuntimeError(
    'conflict',
    `The database ${location} holds other work: ${what}. Nothing was changed.`,
    'Name a database that does not exist yet, or one without tables.',
  );
}

/** What another move has begun in the target. */
export function anotherMove(location: string, source: string): RuntimeError {
  return new RuntimeError(
    'conflict',
    `The database ${location} holds an unfinished move from ${source}.`,
    'Finish that one, or give it up with --start-over.',
  );
}

export function moveUnderWay(location: string): RuntimeError {
  return new RuntimeError(
    'conflict',
    `Another process is moving a database to ${location}.`,
    'Wait until it has ended, and look at what it has printed.',
  );
}

/** The source must have the schema of this program, as the target will. */
export function outdated(location: string, found: number, newest: number): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `The database ${location} has schema version ${found}, and this program ${newest}; it is not changed by a move.`,
    'Open it once with this version, as by: agent-runtime tool runtime_status. Then repeat the command.',
  );
}

async function tablesToMove(source: MoveSource, target: MoveTarget): Promise<Table[]> {
  const relations = new Map((await source.relations()).map((relation) => [relation.name, new Set(relation.columns)]));
  return (await target.tables()).map((table) => {
    const columns = relations.get(table.name);
    const missing = table.columns.filter((column) => !columns?.has(column));
    if (!columns || missing.length > 0) {
      throw new Error(
        `${source.location} has no ${table.name} with ${missing.join(', ')}, which ${target.location} has.`,
      );
    }
    return table;
  });
}

async function copyRest(source: MoveSource, target: MoveTarget, table: Table): Promise<void> {
  const key = table.key.map(quoted);
  const [last] = await target.all<Row>(
    `select ${key.join(', ')} from ${quoted(table.name)} order by ${key.map((column) => `${column} desc`).join(', ')} limit 1`,
  );
  for await (const rows of pagesOf(source, table, last)) await target.insert(table, rows);
}

interface Summary {
  rows: number;
  hash: string;
}

async function isSame(here: Summary, target: MoveTarget, table: Table): Promise<boolean> {
  const there = await summaryOf(target, table);
  return here.rows === there.rows && here.hash === there.hash;
}

async function summaryOf(end: MoveEnd, table: Table): Promise<Summary> {
  const hash = createHash('sha256');
  let count = 0;
  for await (const rows of pagesOf(end, table, undefined)) {
    count += rows.length;
    for (const row of rows) hash.update(`${JSON.stringify(table.columns.map((column) => printed(row[column])))}\n`);
  }
  return { rows: count, hash: hash.digest('hex') };
}

/** Infinity has no form in JSON, and bytes differ in it between the drivers. */
function printed(cell: Cell | undefined): unknown {
  if (cell instanceof Uint8Array) return { bytes: Buffer.from(cell).toString('hex') };
  return typeof cell === 'number' && !Number.isFinite(cell) ? String(cell) : (cell ?? null);
}

const pageBytes = 4_000_000;
const firstRows = 200;
const mostRows = 5_000;

/** The rows behind a key in the order of their keys, a few megabytes at a time. Both engines order texts by their bytes. */
async function* pagesOf(end: MoveEnd, table: Table, after: Row | undefined): AsyncGenerator<Row[]> {
  const key = table.key.map(quoted).join(', ');
  const columns = table.columns.map(quoted).join(', ');
  const places = table.key.map(() => '?').join(', ');
  let last = after;
  for (let limit = firstRows; ; ) {
    const behind = last ? table.key.map((column) => last?.[column] as Value) : undefined;
    const rows = await end.all<Row>(
      `select ${columns} from ${quoted(table.name)}${behind ? ` where (${key}) > (${places})` : ''} order by ${key} limit ?`,
      ...(behind ?? []),
      limit,
    );
    if (rows.length > 0) yield rows;
    if (rows.length < limit) return;
    last = rows.at(-1);
    limit = Math.max(1, Math.min(mostRows, Math.floor((limit * pageBytes) / bytesOf(rows))));
  }
}

const bytesOf = (rows: readonly Row[]): number =>
  rows.reduce((sum, row) => sum + Object.values(row).reduce<number>((inRow, cell) => inRow + sizeOf(cell), 0), 1);

const sizeOf = (cell: Cell): number => (cell === null || typeof cell === 'number' ? 8 : cell.length);

/** A name of a table or column in a statement. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
