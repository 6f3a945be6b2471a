import { messageOf, RuntimeError } from '../../base/errors.js';

/** A deadlock or a lost race with another transaction: nothing was changed, and it may be run again. */
export const isRetriable = (error: unknown): boolean => /^(40P01|40001)$/.test(codeOf(error));

/** The database of the address does not exist. */
export const isMissing = (error: unknown): boolean => codeOf(error) === '3D000';

/** It exists by now: `duplicate_database`, or the race to it in the catalog. */
export const isDuplicate = (error: unknown): boolean => /^(42P04|23505)$/.test(codeOf(error));

/**
 * A prepared statement that no longer fits: another process has changed the schema, or a pooler gave us a connection
 * that does not know it. A new connection does.
 */
export const isStale = (error: unknown): boolean =>
  codeOf(error) === '26000' || (codeOf(error) === '0A000' && /cached plan/.test(messageOf(error)));

/**
 * Whether the connection failed, or the server cannot serve now: starting, stopping, full, or it has ended a session that
 * was silent in the middle of a transaction.
 */
export function isConnectionFailure(error: unknown): boolean {
  const code = codeOf(error);
  return (
    /^(08|57P|53300|25P03)/.test(code) ||
    /^E[A-Z]+$/.test(code) ||
    /Connection terminated|connection error and is not queryable|Client was closed|timeout expired|read timeout/i.test(
      messageOf(error),
    )
  );
}

/** A statement that PostgreSQL does not understand. */
export const isInvalidText = (error: unknown): error is Error => /^42/.test(codeOf(error));

/** The server is not the primary any more, or not yet: another one is, at the same address. */
export const isReadOnlyServer = (error: unknown): boolean => codeOf(error) === '25006';

/** What a host is that follows the primary where the primary is wanted. */
export class StandbyError extends Error {
  readonly code = '25006';

  constructor(host: string) {
    super(`${host} is a standby, and no host of the address is the primary`);
  }
}

/** The server has not given out the id of a transaction yet: it was promoted before it heard of it. */
export const isUnknownTransaction = (error: unknown): boolean =>
  codeOf(error) === '22023' && /in the future/.test(messageOf(error));

/** An error of PostgreSQL as one that names the database and what to do. Any other error is returned as it is. */
export function explain(error: unknown, location: string): unknown {
  if (error instanceof RuntimeError) return error;
  const code = codeOf(error);
  const unavailable = (message: string, hint: string) =>
    new RuntimeError('unavailable', message, hint, { cause: error });
  if (/^(28|3D000)/.test(code)) {
    return unavailable(
      `The database ${location} does not let this program in: ${messageOf(error)}`,
      'Check user and database name in AGENT_RUNTIME_DB_URL, and the password in PGPASSWORD or PGPASSFILE.',
    );
  }
  if (code === '42501') {
    return unavailable(
      `The user of ${location} lacks a right: ${messageOf(error)}`,
      'Let it own the database or its schema: grant all on schema public to USER.',
    );
  }
  if (code === '53100') return unavailable(`The disk of ${location} is full; nothing was written.`, 'Free some space.');
  if (isRetriable(error)) {
    return unavailable(
      `Other transactions of ${location} got in the way each time; nothing was written.`,
      'Try again.',
    );
  }
  if (code === '55P03') {
    return unavailable(
      `Another transaction of ${location} has kept a lock for too long; nothing was written.`,
      'Try again: the server ends the session of a process that was stopped or cut off within 5 s.',
    );
  }
  if (code === '53300') {
    return unavailable(
      `The server of ${location} takes no more connections: ${messageOf(error)}`,
      'Nothing was written. Each process takes two: end some, raise max_connections of the server, or put a pooler before it (with prepare=off in the address).',
    );
  }
  if (isConnectionFailure(error) || isReadOnlyServer(error)) {
    return unavailable(
      `The database ${location} cannot be reached: ${messageOf(error) || code}`,
      'Nothing was written. Check that the server runs and is reachable, and repeat the call; `agent-runtime doctor` looks.',
    );
  }
  if (code === '22021' || code === '22P05') {
    return new RuntimeError(
      'invalid',
      'The text holds a NUL character, which PostgreSQL cannot store.',
      'Remove the \\u0000 and repeat the call.',
      { cause: error },
    );
  }
  return error;
}

/** The error for a call after the database was closed. */
export function closedError(location: string): RuntimeError {
  return new RuntimeError(
    'unavailable',
    `The database ${location} was closed, because this process is ending.`,
    'Nothing was written. Repeat the call when the process runs again.',
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
