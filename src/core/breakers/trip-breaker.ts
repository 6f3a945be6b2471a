import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import type { TimedChange } from '../change.js';
import { loadCircuit, moveCircuit } from './circuit-rows.js';
import type { Transition } from './guard.js';
import { closedCircuit, trippedByHand } from './machine.js';

export interface Trip {
  reason: string;
  /** Stays open until it is reset by hand; otherwise its cooldown begins now. */
  mustHold?: boolean | undefined;
}

export interface Tripped extends Transition {
  cooldownUntil: EpochMs | null;
  isHeld: boolean;
}

/** Opens a breaker by hand. A breaker that is held, or open for longer already, stays so. */
export async function tripBreaker(sql: Sql, id: string, trip: Trip, change: TimedChange): Promise<Tripped> {
  const { reason, mustHold = false } = trip;
  const stored = await loadCircuit(sql, id, change.clock);
  const next = trippedByHand(stored.circuit, stored.config, change.clock.now(), mustHold);
  await moveCircuit(sql, stored, next, { reason, byHand: 'manual_trip' }, change);
  const { cooldownUntil, isHeld } = next;
  return { from: stored.circuit.state, to: next.state, cooldownUntil, isHeld };
}

/** Closes a breaker by hand with a clean record. Its totals stay. */
export async function resetBreaker(sql: Sql, id: string, change: TimedChange): Promise<Transition> {
  const stored = await loadCircuit(sql, id, change.clock);
  await moveCircuit(sql, stored, closedCircuit, { reason: 'reset by hand', byHand: 'manual_reset' }, change);
  return { from: stored.circuit.state, to: closedCircuit.state };
}
