import type { Client } from 'pg';
import pg from 'pg';
import type { Value } from '../sql.js';
import { type Address, readAddress } from './address.js';
import { type Answer, Batch, type Prepared, type Sent } from './batch.js';
import { toPostgres } from './dialect.js';
import { isConnectionFailure, isInvalidText, isReadOnlyServer, isStale, StandbyError } from './postgres-errors.js';

export interface ConnectionNeeds {
  url: string;
  /** What `pg_stat_activity` shows. */
  name: string;
  isReadOnly: boolean;
  onNotice?: ((channel: string, payload: string) => void) | undefined;
}

/**
 * One connection, opened when it is first needed and again after it has failed. Statements are sent without waiting for
 * the answers to those before; the server runs them in that order. On a connection that writes, those that are given
 * within one turn of the event loop are one batch: they belong to one transaction, which the first that fails gives up.
 */
export class Connection {
  readonly #needs: ConnectionNeeds;
  readonly #address: Address;
  /** Texts as PostgreSQL takes them, and the name under which each is prepared. */
  readonly #texts = new Map<string, { text: string; name: string | undefined }>();
  readonly #isCurrent = new WeakSet<Client>();
  readonly #prepared = new WeakMap<Client, Prepared>();
  readonly #servers = new WeakMap<Client, Server>();
  /** Which of the hosts was the primary last. */
  #host = 0;
  #gathered: { client: Client; statements: Sent[] } | undefined;
  #opening: Promise<Client> | undefined;
  #isClosed = false;
  #clockOffset = 0;

  constructor(needs: ConnectionNeeds) {
    this.#needs = needs;
    this.#address = readAddress(needs.url);
  }

  /** Milliseconds by which the server's clock is ahead of this host's, by the last answer that told. */
  get clockOffset(): number {
    return this.#clockOffset;
  }

  /**
   * Corrects the offset where it cannot be: the server has read its clock after the question was sent and before the
   * answer was here, however long either took.
   */
  noteClock(sentAt: number, serverAt: number, receivedAt: number): void {
    const [least, most] = [serverAt - receivedAt - leastOffsetMs, serverAt - sentAt + leastOffsetMs];
    if (least <= most) this.#clockOffset = Math.min(Math.max(this.#clockOffset, least), most);
  }

  /** The open connection. Rejects as the driver does. */
  open(): Promise<Client> {
    if (!this.#opening) {
      const opening = this.#connect();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  /** Sends a statement on a connection that `open` gave. */
  send<Row>(client: Client, text: string, values: readonly Value[] = []): Promise<Answer<Row>> {
    const answer = new Promise<Answer<Row>>((resolve, reject) => {
      const statement = { ...this.#known(text), values, resolve: resolve as Sent['resolve'], reject };
      if (this.#needs.isReadOnly) this.#submit(client, [statement]);
      else this.#gather(client, statement);
    });
    answer.catch((error) => {
      if (this.#isUseless(error)) this.discard(client);
      // It is a fault of the text, which the driver does not name.
      if (isInvalidText(error)) error.message += ` in: ${text}`;
    });
    return answer;
  }

  #gather(client: Client, statement: Sent): void {
    if (this.#gathered?.client === client) {
      this.#gathered.statements.push(statement);
      return;
    }
    const gathered = { client, statements: [statement] };
    this.#gathered = gathered;
    // A tick that is asked for by a microtask comes when all of them are done: when the body waits for an answer.
    queueMicrotask(() =>
      process.nextTick(() => {
        if (this.#gathered === gathered) this.#gathered = undefined;
        this.#submit(client, gathered.statements);
      }),
    );
  }

  #submit(client: Client, statements: readonly Sent[]): void {
    const prepared = this.#prepared.get(client) ?? new Map();
    this.#prepared.set(client, prepared);
    client.query(new Batch(statements, prepared, types.getTypeParser));
  }

  #isUseless(error: unknown): boolean {
    return isConnectionFailure(error) || isStale(error) || (isReadOnlyServer(error) && !this.#needs.isReadOnly);
  }

  /** Gives a connection up; the next `open` makes a new one. */
  discard(client: Client): void {
    if (!this.#isCurrent.has(client)) return;
    this.#isCurrent.delete(client);
    this.#opening = undefined;
    client.end().catch(() => {});
  }

  /** Sends what is under way, then ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#opening?.catch(() => undefined);
    await client?.end().catch(() => {});
  }

  /** What an open connection has reached. */
  serverOf(client: Client): Server {
    return this.#servers.get(client) ?? { isStandby: false, run: undefined };
  }

  /** Looks at what a connection has reached. As it is opened our tables may not be there yet. */
  async look(client: Client): Promise<void> {
    const [standby, run] = await Promise.all([
      client.query<{ is: number }>('select pg_is_in_recovery() as is'),
      this.#needs.isReadOnly ? undefined : runOf(client),
    ]);
    this.#servers.set(client, { isStandby: standby.rows[0]?.is === 1, run });
  }

  /** The first of the hosts that takes us in, beginning with the one that did so last. */
  async #connect(): Promise<Client> {
    const hosts = this.#address.connectionStrings;
    let failure: unknown;
    for (let tried = 0; tried < hosts.length; tried++) {
      const host = (this.#host + tried) % hosts.length;
      try {
        const client = await this.#connectTo(hosts[host] ?? '');
        this.#host = host;
        return client;
      } catch (error) {
        if (!isConnectionFailure(error) && !isReadOnlyServer(error)) throw error;
        // That a server is a standby says less than why the primary cannot be reached.
        if (failure === undefined || isReadOnlyServer(failure)) failure = error;
      }
    }
    throw failure;
  }

  async #connectTo(connectionString: string): Promise<Client> {
    const { name, isReadOnly, onNotice } = this.#needs;
    const client = new pg.Client({
      connectionString,
      application_name: name,
      connectionTimeoutMillis: connectMs / this.#address.connectionStrings.length,
      query_timeout: answerMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      pipeline: true,
      types,
    });
    // Without a listener a connection that is cut while idle would end the process.
    client.on('error', () => this.discard(client));
    client.on('end', () => this.discard(client));
    if (onNotice) client.on('notification', ({ channel, payload }) => onNotice(channel, payload ?? ''));
    await client.connect();
    try {
      this.#isCurrent.add(client);
      await client.query(sessionSettings(isReadOnly));
      await Promise.all([this.look(client), this.#measureClock(client)]);
      if (this.serverOf(client).isStandby && this.#address.needsPrimary) throw new StandbyError(client.host);
    } catch (error) {
      this.discard(client);
      throw error;
    }
    if (this.#isClosed) this.discard(client);
    return client;
  }

  /** By half of the way there and back. What is no more than that is no difference. */
  async #measureClock(client: Client): Promise<void> {
    const sentAt = Date.now();
    const { rows } = await client.query<{ now: number }>(`select ${serverNow} as now`);
    const halfWay = (Date.now() - sentAt) / 2;
    const offset = (rows[0]?.now ?? sentAt) - (sentAt + halfWay);
    this.#clockOffset = Math.abs(offset) <= halfWay + leastOffsetMs ? 0 : Math.round(offset);
  }

  #known(text: string): { text: string; name: string | undefined } {
    const known = this.#texts.get(text);
    if (known) return known;
    const made = { text: toPostgres(text), name: this.#address.prepares ? `s${this.#texts.size}` : undefined };
    this.#texts.set(text, made);
    return made;
  }
}

/** What a connection has reached. */
export interface Server {
  /** It follows a primary, and takes no writes. */
  isStandby: boolean;
  /**
   * The name of its run (`server_run`), if this is a connection that writes. Only within one run does an id stand for one
   * transaction.
   */
  run: string | undefined;
}

/** The name of the server's run, which gets one if it has none. Undefined where our tables are not, or cannot be written. */
async function runOf(client: Client): Promise<string | undefined> {
  const read = async () => (await client.query<{ name: string }>('select name from server_run')).rows[0]?.name;
  try {
    return (await read()) ?? (await client.query(nameRun).then(read));
  } catch (error) {
    if (isConnectionFailure(error)) throw error;
    return undefined;
  }
}

const nameRun = 'insert into server_run (id, name) values (1, gen_random_uuid()::text) on conflict do nothing';

/** SQL: the server's clock, in milliseconds. */
export const serverNow = 'round(extract(epoch from clock_timestamp()) * 1000)::bigint';

const connectMs = 5_000;
const leastOffsetMs = 5;
/** Longer than any statement waits for a lock. A network that swallows packets would keep us waiting for minutes. */
const answerMs = 30_000;

/**
 * A process that is stopped or cut off in the middle of a transaction must not keep the others waiting: the server ends
 * its session, well before they give up waiting for its locks.
 */
const sessionSettings = (isReadOnly: boolean): string =>
  [
    'set idle_in_transaction_session_timeout = 5000',
    'set lock_timeout = 10000',
    'set tcp_keepalives_idle = 10',
    'set tcp_keepalives_interval = 5',
    'set tcp_keepalives_count = 3',
    ...(isReadOnly ? ['set default_transaction_read_only = on'] : []),
  ].join('; ');

/** Numbers of eight bytes, sums and averages are numbers here; truth values are 0 and 1, as the tables have them. */
const parsers = new Map<number, (text: string) => unknown>([
  [16, (text) => (text === 't' ? 1 : 0)],
  [20, Number],
  [1700, Number],
]);

const types = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? pg.types.getTypeParser(oid),
};
