import type { Client } from 'pg';
import { becameNewer } from '../schema.js';
import type { Sql, Value } from '../sql.js';
import { guardAgainstWaiting } from '../transaction-guard.js';
import { type Connection, serverNow } from './connection.js';
import { isConnectionFailure } from './postgres-errors.js';

/** Undoes a transaction that began beside others, so that it is run again as the only one. */
export class MustBeAlone extends Error {}

/** The commit got no answer: whether it was done is found out by the id of the transaction. */
export class CommitUnanswered extends Error {
  readonly xid: string;

  constructor(xid: string, cause: unknown) {
    super('The connection broke while the commit was under way.', { cause });
    this.xid = xid;
  }
}

export interface TransactionNeeds {
  connection: Connection;
  client: Client;
  isAlone: boolean;
  isDurable: boolean;
  /** The version of the schema that this program knows, and the name of the database for whoever finds a newer one. */
  known: { version: number; location: string };
}

/**
 * Runs `body` in one transaction. All of its statements are sent at once, so `begin` travels with the first of them and
 * the last writes with `commit`.
 */
export async function runTransaction<Result>(
  { connection, client, isAlone, isDurable, known }: TransactionNeeds,
  body: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  const guard = guardAgainstWaiting();
  let failure: { error: unknown } | undefined;
  let isOpen = true;
  let waiting = 0;

  async function send<Row>(text: string, values: readonly Value[]) {
    if (!isOpen) throw new Error('This transaction has ended; its sql must not be kept.');
    waiting++;
    guard.disarm();
    try {
      return await connection.send<Row>(client, text, values);
    } catch (error) {
      failure ??= { error };
      throw error;
    } finally {
      waiting--;
      if (waiting === 0 && isOpen) guard.arm();
    }
  }

  const sql: Sql = {
    all: async <Row>(text: string, ...values: Value[]) => (await send<Row>(text, values)).rows,
    get: async <Row>(text: string, ...values: Value[]) => (await send<Row>(text, values)).rows[0],
    run: async (text, ...values) => (await send(text, values)).count,
    send: async (text, ...values) => void send(text, values).catch(() => {}),
    async alone() {
      if (!isAlone) throw new MustBeAlone();
    },
  };

  // Their errors are those of the first statement, which finds no open transaction.
  const opening = <Row>(text: string) => {
    const answer = connection.send<Row>(client, text);
    answer.catch((error) => (failure ??= { error }));
    return answer;
  };
  opening('begin');
  if (isDurable) opening('set local synchronous_commit = on');
  const locked = opening<Opened>(isAlone ? lockAlone : lockBeside);
  // A statement of its own: that of the lock sees what was there before it waited.
  const newer = opening<{ version: number }>(readVersion).then(
    ({ rows: [{ version } = { version: 0 }] }) =>
      version > known.version ? becameNewer(known.location, version, known.version) : undefined,
    () => undefined,
  );
  const sentAt = Date.now();
  locked.then(
    ({ rows: [row] }) => row && connection.noteClock(sentAt, row.now, Date.now()),
    () => {},
  );
  try {
    const result = await Promise.race([body(sql), guard.violation]);
    isOpen = false;
    guard.disarm();
    // A body that caught the error of a statement cannot go on: the server has given the transaction up.
    if (failure) throw (failure as { error: unknown }).error;
    // Without its id its outcome could not be asked for.
    const [{ xid }] = (await locked).rows as [Opened];
    const refusal = await newer;
    if (refusal) throw refusal;
    const { command } = await connection.send(client, 'commit').catch((error) => {
      // What fails before it keeps it from being tried.
      if (failure && !isConnectionFailure(failure.error)) throw failure.error;
      throw new CommitUnanswered(xid, error);
    });
    if (command !== 'COMMIT')
      throw (failure as { error: unknown } | undefined)?.error ?? new Error(`It was undone: ${command}`);
    return result;
  } catch (error) {
    isOpen = false;
    guard.disarm();
    if (!(error instanceof CommitUnanswered))
      await connection.send(client, 'rollback').catch(() => connection.discard(client));
    // What failed may have done so because of it.
    throw (await newer) ?? error;
  }
}

/** 'agrt' in ASCII: the lock that those who write alone or change the schema hold for themselves, and all others together. */
export const writeLock = 0x61677274;

interface Opened {
  xid: string;
  now: number;
}

const readVersion = 'select version from schema_version';
/** With the transaction's id, by which its outcome can be asked for later, and the server's clock. */
const more = `pg_current_xact_id()::text as xid, ${serverNow} as now`;
const lockAlone = `select pg_advisory_xact_lock(${writeLock}), ${more}`;
const lockBeside = `select pg_advisory_xact_lock_shared(${writeLock}), ${more}`;
