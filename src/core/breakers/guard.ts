import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import { cut } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import { countSuccess, type Failure, loadCircuit, moveCircuit, writeFailure } from './circuit-rows.js';
import { admits, afterFailure, afterSuccess, type BreakerState, retryAfterMs } from './machine.js';

/** Whether a call may be made. A refusal is an answer, not an error. */
export interface PermitAnswer {
  allowed: boolean;
  state: BreakerState;
  /** Only of a half-open breaker: to be returned with the call's outcome. */
  permit: string | undefined;
  /** How long the breaker refuses calls; undefined when only a reset by hand helps. */
  retryAfterMs: number | undefined;
}

export interface PermitRequest {
  /** Whose permit it is, for `releasePermitsOf`. */
  holder?: string | undefined;
  /** How long the call may take. After that the permit expires, as its caller may be lost. */
  callMs?: number | undefined;
}

const usualCallMs = 10 * 60_000;

/** Asks whether a call may be made now. */
export async function acquirePermit(
  sql: Sql,
  id: string,
  { holder = 'caller', callMs = usualCallMs }: PermitRequest,
  clock: Clock,
): Promise<PermitAnswer> {
  const stored = await loadCircuit(sql, id, clock);
  const now = clock.now();
  const { circuit, config, row } = stored;
  if (circuit.state !== row.state) {
    await moveCircuit(sql, stored, circuit, { reason: 'the cooldown is over' }, { at: now });
  }
  const allowed = admits(circuit, config);
  const isCounted = allowed && circuit.state === 'half_open';
  return {
    allowed,
    state: circuit.state,
    permit: isCounted ? await insertPermit(sql, id, holder, now, now + callMs) : undefined,
    retryAfterMs: allowed ? undefined : retryAfterMs(circuit, now),
  };
}

/** Stores a permit, and removes those that have expired. */
async function insertPermit(sql: Sql, id: string, holder: string, now: EpochMs, expiresAt: EpochMs): Promise<string> {
  const permit = `${holder}/${newShortId()}`;
  await sql.run('delete from breaker_permits where breaker_id = ? and expires_at <= ?', id, now);
  await sql.run('insert into breaker_permits (permit, breaker_id, expires_at) values (?, ?, ?)', permit, id, expiresAt);
  return permit;
}

export interface CallEnd extends TimedChange {
  permit?: string | undefined;
  /** Throws `conflict`, and records nothing, when the permit is spent; otherwise the outcome counts without it. */
  isPermitRequired?: boolean;
}

/** What an outcome has made of the breaker. */
export interface Transition {
  from: BreakerState;
  to: BreakerState;
}

/** Records that a call has succeeded. */
export async function recordSuccess(sql: Sql, id: string, end: CallEnd): Promise<Transition> {
  const { at, actor, clock } = end;
  await endPermit(sql, id, end);
  const stored = await loadCircuit(sql, id, clock);
  await countSuccess(sql, id, at);
  const next = afterSuccess(stored.circuit, stored.config, clock.now());
  await moveCircuit(sql, stored, next, { reason: 'its probes succeeded' }, { at, actor });
  return { from: stored.circuit.state, to: next.state };
}

export interface FailedCallEnd extends CallEnd {
  /** How long the agent or its server asks callers to wait. */
  retryAfterMs?: number | undefined;
}

/** Records that a call has failed. */
export async function recordFailure(sql: Sql, id: string, failure: Failure, end: FailedCallEnd): Promise<Transition> {
  const { at, actor, clock } = end;
  await endPermit(sql, id, end);
  const stored = await loadCircuit(sql, id, clock);
  const { circuit, config } = stored;
  const now = clock.now();
  const next = afterFailure(circuit, config, now, { type: failure.type, retryAfterMs: end.retryAfterMs });
  await writeFailure(sql, stored, failure, next.failures.length > circuit.failures.length, now);
  await moveCircuit(sql, stored, next, { reason: reasonOf(failure) }, { at, actor });
  if (next.state === stored.row.state) {
    // The move of a breaker is told by itself.
    const data = { failure_type: failure.type, error: cut(failure.message, longestError) };
    await recordEvent(sql, { at, actor, subject: 'breaker', subjectId: id, type: 'call_failed', data });
  }
  return { from: circuit.state, to: next.state };
}

const longestError = 300;

/** Shortened, as reasons are read in lists. The failure itself is stored whole. */
const reasonOf = ({ type, message }: Failure): string => `${type}: ${cut(message, 303)}`;

async function endPermit(sql: Sql, id: string, { permit, isPermitRequired }: CallEnd): Promise<void> {
  if (permit === undefined) return;
  // Whoever holds the breaker may be ending all of its permits.
  await lockBreaker(sql, id);
  if (isPermitRequired) await spendPermit(sql, id, permit);
  else await releasePermit(sql, permit);
}

async function lockBreaker(sql: Sql, id: string): Promise<void> {
  await sql.get('select id from breakers where id = ? for update', id);
}

/** Returns a permit: its call has ended, or was not made after all. */
export async function releasePermit(sql: Sql, permit: string): Promise<void> {
  await sql.run('delete from breaker_permits where permit = ?', permit);
}

/** As `releasePermit`, but throws `conflict` when the breaker has no such permit out. */
async function spendPermit(sql: Sql, id: string, permit: string): Promise<void> {
  const spent = await sql.run('delete from breaker_permits where permit = ? and breaker_id = ?', permit, id);
  if (spent > 0) return;
  throw new RuntimeError(
    'conflict',
    `The permit ${permit} of the breaker ${id} is not valid: it was used before, it has expired, or the breaker has opened or closed since.`,
    'Nothing was recorded. Look with circuit_breaker_status; to report all the same, repeat the call without permit.',
  );
}

/** Whether anyone holds a permit of any breaker: there are some only while one is half-open. */
export async function isHeldByAny(sql: Sql): Promise<boolean> {
  return (await sql.get('select 1 as one from breaker_permits limit 1')) !== undefined;
}

/** Returns all permits of a holder whose calls have not ended. */
export async function releasePermitsOf(sql: Sql, holder: string): Promise<void> {
  // `0` follows `/` in every collation that compares bytes.
  await sql.run('delete from breaker_permits where permit >= ? and permit < ?', `${holder}/`, `${holder}0`);
}
