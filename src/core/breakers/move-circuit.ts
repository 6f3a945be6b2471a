import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import { type StoredCircuit, storeCircuit } from './circuit-rows.js';
import type { BreakerState, Circuit } from './machine.js';

export interface Move {
  /** Epoch milliseconds. */
  now: number;
  reason: string;
  actor?: Actor | undefined;
  /** The event's type when it was done by hand, and is told of even if the state stays the same. */
  byHand?: 'manual_trip' | 'manual_reset';
}

/** Writes the circuit that a step of the machine has led to, and tells of it when its state has changed. */
export async function moveCircuit(sql: Sql, stored: StoredCircuit, circuit: Circuit, move: Move): Promise<void> {
  const { row } = stored;
  await storeCircuit(sql, stored, circuit, move);
  // The end of a cooldown is noticed by whoever comes next; a step that begins there is told of as one from half open.
  const from = circuit.state === stored.circuit.state ? row.state : stored.circuit.state;
  if (circuit.state === from && !move.byHand) return;
  await recordEvent(sql, {
    at: move.now,
    subject: 'breaker',
    subjectId: row.id,
    type: move.byHand ?? eventTypes[circuit.state],
    actor: move.actor,
    data: { from_state: from, to_state: circuit.state, reason: move.reason },
  });
}

const eventTypes: Record<BreakerState, string> = {
  open: 'failure_trip',
  closed: 'recovery',
  half_open: 'half_open',
};
