import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { RuntimeError } from '../../base/errors.js';
import type { Log } from '../../base/log.js';
import type { Database, EventOrder, Sql, Statement, TransactionOptions, Value } from '../sql.js';
import { Connection } from './connection.js';
import { dumpInto } from './dump.js';
import {
  closedError,
  explain,
  isConnectionFailure,
  isReadOnlyServer,
  isRetriable,
  isStale,
  isUnknownTransaction,
} from './postgres-errors.js';
import { CommitUnanswered, MustBeAlone, runTransaction } from './transaction.js';

export interface PostgresNeeds {
  url: string;
  /** Where the schema was looked at; from here on it writes. */
  writer: Connection;
  /** The address without its secrets. */
  location: string;
  /** The version of the schema that this program knows. */
  knownVersion: number;
  log: Log;
  /** How long a caller waits for the server before it gets `unavailable`, in milliseconds. */
  deadlineMs: number;
  /** For measurements: every transaction runs as the only one. */
  alwaysAlone?: boolean | undefined;
}

/** A database on a PostgreSQL server, by two connections: one writes, the other one reads. */
export const postgresDatabase = (needs: PostgresNeeds): Database => new PostgresDatabase(needs);

const mostConflicts = 5;
const conflictPauseMs = 40;
const reconnectPauseMs = 200;
/** Many processes look for a server that comes back; it is not to spend its start on refusing them. */
const longestPauseMs = 1_000;
/** Longer than from one heartbeat to the next: a process that was heard of by nobody meanwhile. */
const gapMs = 20_000;

class PostgresDatabase implements Database {
  readonly location: string;
  readonly engine = 'postgres';
  readonly isShared = true;
  readonly eventOrder = eventOrder;
  readonly backupExtension = '.dump';
  readonly #needs: PostgresNeeds;
  readonly #writer: Connection;
  readonly #reader: Connection;
  #lastWrite: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #lastAnswerAt = performance.now();
  /** Nobody else can have been silent for longer than this process has listened, unless it has only just begun. */
  #inTouchSince = Number.NEGATIVE_INFINITY;

  constructor(needs: PostgresNeeds) {
    this.location = needs.location;
    this.#needs = needs;
    this.#writer = needs.writer;
    this.#reader = new Connection({ url: needs.url, name: 'agent-runtime (reads)', isReadOnly: true });
  }

  readonly all: Database['all'] = async <Row>(text: string, ...values: Value[]) =>
    (await this.#read(text, values)) as Row[];

  readonly get: Database['get'] = async <Row>(text: string, ...values: Value[]) =>
    (await this.#read(text, values))[0] as Row | undefined;

  readonly run: Database['run'] = (text, ...values) =>
    this.transaction((sql) => sql.run(text, ...values), { beside: true });

  readonly send: Database['send'] = async (text, ...values) => {
    await this.run(text, ...values);
  };

  readonly alone: Database['alone'] = async () => {};

  /** Writers of this process take turns in the order in which they asked, on one connection. */
  readonly transaction: Database['transaction'] = (body, options = {}) => {
    const askedAt = performance.now();
    const turn = this.#lastWrite.then(() => this.#transact(body, options, askedAt));
    this.#lastWrite = turn.catch(() => {});
    return turn;
  };

  readonly clockOffset: Database['clockOffset'] = () => this.#writer.clockOffset;

  readonly inTouchMs: Database['inTouchMs'] = () => performance.now() - this.#inTouchSince;

  readonly check: Database['check'] = async () => {
    await this.get('select 1 as one');
    return undefined;
  };

  readonly backup: Database['backup'] = async (path) => {
    const { url, location } = this.#needs;
    const row = await this.get<{ version: number }>(
      "select cast(current_setting('server_version_num') as bigint) as version",
    );
    await dumpInto(path, { url, location, major: Math.floor((row?.version ?? 0) / 10_000) });
  };

  readonly isHere: Database['isHere'] = () => !this.#isClosed;

  readonly sizeBytes: Database['sizeBytes'] = async () =>
    (await this.get<{ bytes: number }>('select pg_database_size(current_database()) as bytes'))?.bytes ?? 0;

  readonly lossAtOpening: Database['lossAtOpening'] = () => undefined;

  readonly close: Database['close'] = (last = []) => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    void this.#end(last);
  };

  /** The statements leave with the last commit under way, and nobody waits for their answers. */
  async #end(last: readonly Statement[]): Promise<void> {
    try {
      if (last.length > 0) {
        const client = await this.#writer.open();
        await runTransaction({ ...this.#transactionNeeds(client), isAlone: false, isDurable: false }, async (sql) => {
          for (const { text, values } of last) await sql.send(text, ...values);
        });
      }
    } catch (error) {
      // The leases of this process expire by themselves then.
      this.#needs.log.debug('the last statements were not written', { error });
    } finally {
      await Promise.all([this.#writer.close(), this.#reader.close()]);
    }
  }

  #read(text: string, values: readonly Value[]): Promise<unknown[]> {
    return this.#untilReached(performance.now(), async () => {
      const client = await this.#reader.open();
      const { rows } = await this.#reader.send(client, text, values).catch((error) => {
        if (!isReadOnlyServer(error)) throw error;
        throw new Error(`Only run() and transactions write; all() and get() were given: ${text}`, { cause: error });
      });
      return rows;
    });
  }

  async #transact<Result>(
    body: (sql: Sql) => Promise<Result>,
    { durable = false, beside = false }: TransactionOptions,
    askedAt: number,
  ): Promise<Result> {
    let isAlone = !beside || this.#needs.alwaysAlone === true;
    for (let conflicts = 0; ; ) {
      try {
        return await this.#untilReached(askedAt, () => this.#attempt(body, isAlone, durable, askedAt));
      } catch (error) {
        if (error instanceof MustBeAlone) isAlone = true;
        else if (!isRetriable(error) || ++conflicts > mostConflicts) throw explain(error, this.location);
        else await sleep(Math.random() * conflictPauseMs * conflicts);
      }
    }
  }

  async #attempt<Result>(
    body: (sql: Sql) => Promise<Result>,
    isAlone: boolean,
    isDurable: boolean,
    askedAt: number,
  ): Promise<Result> {
    const client = await this.#writer.open();
    let finished: { result: Result } | undefined;
    try {
      return await runTransaction({ ...this.#transactionNeeds(client), isAlone, isDurable }, async (sql) => {
        const result = await body(sql);
        finished = { result };
        return result;
      });
    } catch (error) {
      if (!(error instanceof CommitUnanswered) || !finished) throw error;
      const { run } = this.#writer.serverOf(client);
      this.#writer.discard(client);
      if (await this.#wasCommitted(error, run, askedAt)) return finished.result;
      throw error.cause;
    }
  }

  #transactionNeeds(client: Client) {
    const { knownVersion: version, location } = this.#needs;
    return { connection: this.#writer, client, known: { version, location } };
  }

  /** Finds out what became of a commit that got no answer. Throws `unavailable` if nobody can tell in time. */
  async #wasCommitted({ xid, cause }: CommitUnanswered, run: string | undefined, askedAt: number): Promise<boolean> {
    const deadline = Math.max(performance.now() + this.#needs.deadlineMs / 2, askedAt + this.#needs.deadlineMs);
    while (performance.now() < deadline && !this.#isClosed) {
      const outcome = await this.#askOutcome(xid, run);
      if (outcome === 'unknown') break;
      if (outcome) return outcome === 'committed';
      await sleep(reconnectPauseMs);
    }
    throw new RuntimeError(
      'unavailable',
      `The connection to ${this.location} broke while a change was being committed; whether it was is not known.`,
      'Look at what you changed before you repeat the call.',
      { cause },
    );
  }

  /** Undefined while it is under way or nobody answers. A standby may only not have heard of it yet. */
  async #askOutcome(xid: string, run: string | undefined): Promise<'committed' | 'aborted' | 'unknown' | undefined> {
    try {
      const client = await this.#reader.open();
      if (this.#reader.serverOf(client).isStandby) {
        this.#reader.discard(client);
        return undefined;
      }
      const { rows } = await this.#reader.send<Outcome>(client, outcomeOf, [xid]);
      const [{ status, name } = { status: null, name: null }] = rows;
      if (status === 'committed') return run !== undefined && name === run ? 'committed' : 'unknown';
      return status === 'aborted' ? 'aborted' : undefined;
    } catch (error) {
      if (isUnknownTransaction(error)) return 'aborted';
      if (!isConnectionFailure(error) && !isReadOnlyServer(error)) throw error;
      return undefined;
    }
  }

  #noteAnswer(): void {
    const now = performance.now();
    if (now - this.#lastAnswerAt > gapMs) this.#inTouchSince = now;
    this.#lastAnswerAt = now;
  }

  /** Repeats an attempt on a new connection while the server cannot be reached, up to the deadline. */
  async #untilReached<Result>(askedAt: number, attempt: () => Promise<Result>): Promise<Result> {
    for (let tries = 0; ; tries++) {
      if (this.#isClosed) throw closedError(this.location);
      try {
        const result = await attempt();
        this.#noteAnswer();
        return result;
      } catch (error) {
        if (this.#isClosed) throw closedError(this.location);
        const mayRepeat = isConnectionFailure(error) || isReadOnlyServer(error) || isStale(error);
        if (!mayRepeat || performance.now() - askedAt > this.#needs.deadlineMs) {
          if (error instanceof MustBeAlone || isRetriable(error)) throw error;
          throw explain(error, this.location);
        }
        const pauseMs = Math.min(longestPauseMs, reconnectPauseMs * 2 ** tries);
        if (!isStale(error)) await sleep(Math.random() * pauseMs);
      }
    }
  }
}

interface Outcome {
  /** Of the transaction that has the id now. */
  status: string | null;
  /** Of the run of the server. */
  name: string | null;
}

const outcomeOf = 'select pg_xact_status(cast(? as xid8)) as status, (select name from server_run) as name';

const isReadable = 'tx < pg_snapshot_xmin(pg_current_snapshot())';

/**
 * By their transactions, as far as all earlier ones have ended: those that end later are behind. The event that a reader
 * has come to may have been purged meanwhile; then the next one tells its place.
 */
const eventOrder: EventOrder = {
  columns: (direction) => `tx ${direction}, id ${direction}`,
  isReadable,
  isBehind: `${isReadable} and (tx, id) > (
    select coalesce(place.tx, '18446744073709551615'::xid8), asked.id
    from (select cast(? as bigint) as id) as asked
    left join lateral (select tx from events where events.id >= asked.id order by events.id limit 1) as place on true)`,
};
