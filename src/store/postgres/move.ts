import type { Client } from 'pg';
import { RuntimeError } from '../../base/errors.js';
import { migrations } from '../migrate.js';
import {
  anotherMove,
  holdsOtherWork,
  type MoveSource,
  type MoveTarget,
  moveUnderWay,
  outdated,
  quoted,
  type Relation,
  type Row,
  type Table,
} from '../move.js';
import { movingVersion } from '../schema.js';
import type { Value } from '../sql.js';
import { publicAddress } from './address.js';
import { Connection } from './connection.js';
import { bringUp, markVersion, namesMadeBy, refuseForeign, versionOf } from './migrate.js';
import { createDatabase } from './open.js';
import { explain, isMissing } from './postgres-errors.js';

const newest = migrations.at(-1)?.version ?? 0;

/** Opens a database on a server to be moved elsewhere. Throws `unavailable` if it cannot be read or is of another version. */
export async function openPostgresSource(url: string): Promise<MoveSource> {
  const end = await PostgresEnd.open(url, true);
  try {
    await end.readAtOneMoment();
    return end;
  } catch (error) {
    await end.close();
    throw explain(error, end.location);
  }
}

export interface PostgresTargetOptions {
  url: string;
  /** Where the rows come from: a move that was interrupted goes on from there alone. */
  source: string;
  /** Gives up what another move has left unfinished. */
  startsOver: boolean;
}

/**
 * Opens a database on a server to be filled; it is made if it does not exist. Until it is finished, its version keeps
 * every program from opening it. Throws `conflict` if it holds an unfinished move from elsewhere, or one is under way.
 */
export async function openPostgresTarget({ url, source, startsOver }: PostgresTargetOptions): Promise<MoveTarget> {
  const end = await PostgresTarget.open(url, false);
  try {
    await end.take(source, startsOver);
    return end;
  } catch (error) {
    await end.close();
    throw explain(error, end.location);
  }
}

/** Longer than any statement takes: references are checked over whole tables. */
const answerMs = 24 * 3_600_000;

class PostgresEnd implements MoveSource {
  readonly location: string;
  readonly #connection: Connection;
  protected readonly client: Client;

  constructor(connection: Connection, client: Client, location: string) {
    this.#connection = connection;
    this.client = client;
    this.location = location;
  }

  static async open<End extends PostgresEnd>(
    this: new (
      connection: Connection,
      client: Client,
      location: string,
    ) => End,
    url: string,
    isReadOnly: boolean,
  ): Promise<End> {
    const location = publicAddress(url);
    const connection = new Connection({ url, name: 'agent-runtime (migrate)', isReadOnly });
    try {
      const client = await connection.open().catch(async (error) => {
        if (isReadOnly || !isMissing(error)) throw error;
        await createDatabase(url);
        return connection.open();
      });
      await client.query('set idle_in_transaction_session_timeout = 0');
      return new this(connection, client, location);
    } catch (error) {
      await connection.close();
      throw explain(error, location);
    }
  }

  /** All that is read from here on is as it is now. */
  async readAtOneMoment(): Promise<void> {
    const version = await versionOf(this.client, this.location, newest);
    if (version === undefined)
      throw new RuntimeError('not_found', `There is no board in ${this.location}.`, 'Check it.');
    if (version < newest) throw outdated(this.location, version, newest);
    await this.client.query('begin isolation level repeatable read read only');
  }

  readonly all: MoveSource['all'] = async <Found>(text: string, ...values: Value[]) => {
    const found = await this.#connection.send(this.client, text, values).catch((error) => {
      throw explain(error, this.location);
    });
    return found.rows as Found[];
  };

  /** Other programs may keep tables beside ours. */
  async relations(): Promise<Relation[]> {
    return this.query<{ name: string; columns: string[] }>(
      `select c.relname::text as name, array_agg(a.attname::text order by a.attnum) as columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'v') and c.relname = any ($1)
       group by c.relname`,
      [[...namesMadeBy(migrations, 'table'), ...namesMadeBy(migrations, 'view')]],
    );
  }

  async lastNumbers(): Promise<ReadonlyMap<string, number>> {
    const numbers = new Map<string, number>();
    for (const { table, sequence } of await this.numbered()) {
      const [row] = await this.query<{ last: number }>(
        `select case when is_called then last_value else 0 end as last from ${sequence}`,
      );
      numbers.set(table, row?.last ?? 0);
    }
    return numbers;
  }

  async tables(): Promise<Table[]> {
    return this.query<Table & Record<string, unknown>>(
      `select c.relname::text as name,
         (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
           where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid <> 'xid8'::regtype) as columns,
         (select array_agg(a.attname::text order by array_position(k.conkey, a.attnum)) from pg_constraint k
            join pg_attribute a on a.attrelid = c.oid and a.attnum = any (k.conkey)
           where k.conrelid = c.oid and k.contype = 'p') as key
       from pg_class c
       where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname = any ($1)
       order by c.relname`,
      [namesMadeBy(migrations, 'table')],
    );
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  protected async query<Found extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<Found[]> {
    const config = { text, query_timeout: answerMs, ...(values ? { values } : {}) };
    try {
      return (await this.client.query<Found>(config)).rows;
    } catch (error) {
      throw explain(error, this.location);
    }
  }

  /** The tables whose ids the server gives, and what it counts them by. */
  protected numbered(): Promise<{ table: string; column: string; sequence: string }[]> {
    return this.query(
      `select table_name::text as table, column_name::text as column,
         pg_get_serial_sequence(quote_ident(table_name), column_name) as sequence
       from information_schema.columns
       where table_schema = current_schema() and is_identity = 'YES' and table_name = any ($1)`,
      [namesMadeBy(migrations, 'table')],
    );
  }
}

/** 'agmv' in ASCII: held by the one process that fills the database. */
const moveLock = 0x61676d76;

/** The table that says what is under way; it goes when that is done. */
const bookmark = 'unfinished_move';

interface Bookmark {
  source: string;
  version: number;
  /** They are made again when all rows are there, and checked then. */
  references: { table: string; name: string; definition: string }[];
}

class PostgresTarget extends PostgresEnd implements MoveTarget {
  isWhole = false;

  /** Finds out what is there, goes on with it or begins. */
  async take(source: string, startsOver: boolean): Promise<void> {
    const [lock] = await this.query<{ taken: number }>(`select pg_try_advisory_lock(${moveLock}) as taken`);
    if (lock?.taken !== 1) throw moveUnderWay(this.location);
    const state = await this.#bookmark();
    if (!state) {
      const version = await versionOf(this.client, this.location, newest);
      if (version !== undefined && version < newest) {
        throw holdsOtherWork(this.location, `it is a board of schema version ${version}`);
      }
      this.isWhole = version === newest;
      if (this.isWhole) await this.readAtOneMoment();
      else await this.#begin(source);
    } else if (startsOver || (state.source === source && state.version !== newest)) {
      await this.#giveUp();
      await this.#begin(source);
    } else if (state.source !== source) throw anotherMove(this.location, state.source);
  }

  /** All rows as one parameter, which the server takes apart. */
  async insert({ name, columns }: Table, rows: readonly Row[]): Promise<void> {
    const list = columns.map(quoted).join(', ');
    try {
      await this.query(
        `insert into ${quoted(name)} (${list}) select ${list} from json_populate_recordset(null::${quoted(name)}, $1::json)`,
        [JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((column) => [column, toJson(row[column])]))))],
      );
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'invalid') throw unstorable(name, rows) ?? error;
      throw error;
    }
  }

  async empty({ name }: Table): Promise<void> {
    await this.query(`delete from ${quoted(name)}`);
  }

  async finish(lastNumbers: ReadonlyMap<string, number>): Promise<void> {
    const state = await this.#bookmark();
    await this.#allOrNothing(async () => {
      await this.query('set local synchronous_commit = on');
      await this.query('set local lock_timeout = 0');
      for (const { table, name, definition } of state?.references ?? []) {
        await this.query(`alter table ${quoted(table)} add constraint ${quoted(name)} ${definition}`);
      }
      await this.#setTriggers('enable');
      for (const { table, column, sequence } of await this.numbered()) {
        await this.query(
          `select setval($1::regclass, greatest($2::bigint, max(${quoted(column)}), 1),
             greatest($2::bigint, max(${quoted(column)}), 0) > 0) from ${quoted(table)}`,
          [sequence, lastNumbers.get(table) ?? 0],
        );
      }
      await this.query(`drop table ${bookmark}`);
      await markVersion(this.client, newest);
    });
    // The planner has no figures of tables that were filled at once.
    await this.query('analyze');
  }

  async #bookmark(): Promise<Bookmark | undefined> {
    const [found] = await this.query<{ has: number }>(`select to_regclass('${bookmark}') is not null as has`);
    if (found?.has !== 1) return undefined;
    const [row] = await this.query<{ state: string }>(`select state from ${bookmark}`);
    return row && JSON.parse(row.state);
  }

  /** Without references rows may come in any order, and without triggers what they keep is copied, too. */
  async #begin(source: string): Promise<void> {
    await this.#allOrNothing(async () => {
      await refuseForeign(this.client, this.location, migrations);
      await bringUp(this.client, 0, migrations);
      const references = await this.query<Bookmark['references'][number] & Record<string, unknown>>(
        `select c.relname::text as table, k.conname::text as name, pg_get_constraintdef(k.oid) as definition
         from pg_constraint k join pg_class c on c.oid = k.conrelid
         where k.contype = 'f' and c.relnamespace = current_schema()::regnamespace and c.relname = any ($1)`,
        [namesMadeBy(migrations, 'table')],
      );
      for (const { table, name } of references) {
        await this.query(`alter table ${quoted(table)} drop constraint ${quoted(name)}`);
      }
      await this.#setTriggers('disable');
      for (const { name } of await this.tables()) await this.query(`delete from ${quoted(name)}`);
      const state: Bookmark = { source, version: newest, references };
      await this.query(`create table ${bookmark} (state text not null)`);
      await this.query(`insert into ${bookmark} (state) values ($1)`, [JSON.stringify(state)]);
      await markVersion(this.client, movingVersion);
    });
  }

  async #giveUp(): Promise<void> {
    await this.#allOrNothing(async () => {
      const kinds = await this.query<{ name: string; kind: string }>(
        `select relname::text as name, case relkind when 'v' then 'view' else 'table' end as kind from pg_class
         where relnamespace = current_schema()::regnamespace and relkind in ('r', 'v') and relname = any ($1)`,
        [
          [
            ...namesMadeBy(migrations, 'table'),
            ...namesMadeBy(migrations, 'view'),
            bookmark,
            'schema_version',
            'server_run',
          ],
        ],
      );
      for (const { name, kind } of kinds) await this.query(`drop ${kind} if exists ${quoted(name)} cascade`);
      const functions = await this.query<{ signature: string }>(
        `select oid::regprocedure::text as signature from pg_proc
         where pronamespace = current_schema()::regnamespace and proname = any ($1)`,
        [namesMadeBy(migrations, 'function')],
      );
      for (const { signature } of functions) await this.query(`drop function if exists ${signature} cascade`);
    });
  }

  async #setTriggers(to: 'enable' | 'disable'): Promise<void> {
    for (const { name } of await this.tables()) await this.query(`alter table ${quoted(name)} ${to} trigger user`);
  }

  async #allOrNothing(body: () => Promise<void>): Promise<void> {
    await this.query('begin');
    try {
      await body();
      await this.query('commit');
    } catch (error) {
      await this.query('rollback').catch(() => {});
      throw error;
    }
  }
}

/** Bytes as PostgreSQL reads them from a text, and numbers that JSON does not have. */
function toJson(cell: Row[string] | undefined): unknown {
  if (cell instanceof Uint8Array) return `\\x${Buffer.from(cell).toString('hex')}`;
  return typeof cell === 'number' && !Number.isFinite(cell) ? String(cell) : cell;
}

/** Names the row that PostgreSQL cannot store. */
function unstorable(table: string, rows: readonly Row[]): RuntimeError | undefined {
  for (const row of rows) {
    for (const [column, cell] of Object.entries(row)) {
      if (typeof cell !== 'string' || !cell.includes('\0')) continue;
      const [key, id] = Object.entries(row)[0] ?? [];
      return new RuntimeError(
        'invalid',
        `The ${column} of the row of ${table} with ${key} ${id} holds a NUL character, which PostgreSQL cannot store.`,
        'Remove the \\u0000 there and run the same command again: it goes on.',
      );
    }
  }
  return undefined;
}
