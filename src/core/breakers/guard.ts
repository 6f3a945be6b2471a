import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { countSuccess, type Failure, loadCircuit, writeFailure } from './circuit-rows.js';
import { admits, afterFailure, afterSuccess, type BreakerState, retryAfterMs } from './machine.js';
import { moveCircuit } from './move-circuit.js';
import { answerProbe, giveBack, takeProbe } from './probes.js';

/** An answer, not an error: a breaker that says no has done its work. */
export interface Admission {
  allowed: boolean;
  state: BreakerState;
  /** Of a probe: to be given back with the call's outcome. */
  permit: string | undefined;
  /** How long it will say no; nothing when only a reset by hand will help. */
  retryAfterMs: number | undefined;
}

export interface Caller {
  /** Whose probe it is, for `releaseProbes`. */
  holder?: string | undefined;
  /** How long the call may take: a probe whose caller is lost is free again then. */
  callMs?: number | undefined;
}

const usualCallMs = 10 * 60_000;

/** Asks, within the caller's transaction, whether a call may be made now. */
export async function acquireIn(
  sql: Sql,
  id: string,
  { now, holder = 'caller', callMs = usualCallMs }: Caller & { now: number },
): Promise<Admission> {
  const stored = await loadCircuit(sql, id, now);
  const { circuit, config, row } = stored;
  if (circuit.state !== row.state) await moveCircuit(sql, stored, circuit, { now, reason: 'the cooldown is over' });
  const allowed = admits(circuit, config);
  const isProbe = allowed && circuit.state === 'half_open';
  return {
    allowed,
    state: circuit.state,
    permit: isProbe ? await takeProbe(sql, id, { holder, now, callMs }) : undefined,
    retryAfterMs: allowed ? undefined : retryAfterMs(circuit, now),
  };
}

export interface CallEnd {
  now: number;
  /** Of the probe that the call was. */
  permit?: string | undefined;
  /** Throws `conflict`, and records nothing, when the permit is spent; otherwise the outcome counts without it. */
  isPermitRequired?: boolean;
  actor?: Actor | undefined;
}

/** What the outcome of a call has made of the breaker. */
export interface Step {
  from: BreakerState;
  to: BreakerState;
}

/** Records, within the caller's transaction, that a call has succeeded. */
export async function recordSuccessIn(sql: Sql, id: string, end: CallEnd): Promise<Step> {
  const { now, actor } = end;
  await endProbe(sql, id, end);
  const stored = await loadCircuit(sql, id, now);
  await countSuccess(sql, id, now);
  const next = afterSuccess(stored.circuit, stored.config, now);
  await moveCircuit(sql, stored, next, { now, actor, reason: 'its probes succeeded' });
  return { from: stored.circuit.state, to: next.state };
}

export interface FailedCallEnd extends CallEnd {
  /** How long the agent or its server has asked to be left alone. */
  retryAfterMs?: number | undefined;
}

/** Records, within the caller's transaction, that a call has failed. */
export async function recordFailureIn(sql: Sql, id: string, failure: Failure, end: FailedCallEnd): Promise<Step> {
  const { now, actor } = end;
  await endProbe(sql, id, end);
  const stored = await loadCircuit(sql, id, now);
  const { circuit, config } = stored;
  const next = afterFailure(circuit, config, now, { type: failure.type, retryAfterMs: end.retryAfterMs });
  await writeFailure(sql, stored, failure, next.failures.length > circuit.failures.length, now);
  await moveCircuit(sql, stored, next, { now, actor, reason: reasonOf(failure) });
  return { from: circuit.state, to: next.state };
}

/** The failure itself is kept whole; what tells of the trip is read in lists. */
function reasonOf({ type, message }: Failure): string {
  return `${type}: ${message.length > 300 ? `${message.slice(0, 300)}...` : message}`;
}

async function endProbe(sql: Sql, id: string, { permit, isPermitRequired }: CallEnd): Promise<void> {
  if (permit === undefined) return;
  if (isPermitRequired) await answerProbe(sql, id, permit);
  else await giveBack(sql, permit);
}
