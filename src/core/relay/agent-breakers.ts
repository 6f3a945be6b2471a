import { newShortId } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';
import {
  countFailure,
  countSuccess,
  type Failure,
  isTripped,
  loadCircuit,
  releaseProbes,
  type StoredCircuit,
  storeCircuit,
} from '../breakers/circuit-rows.js';
import { admits, afterFailure, afterSuccess, type Circuit, retryAfterMs } from '../breakers/machine.js';
import { recordEvent } from '../events/events.js';
import type { Change } from '../tasks/dependencies.js';

export interface AgentWish {
  agentId: string;
  /** Asked first when the agent's breaker says no; then whoever the breakers name. */
  fallback: string | null;
  batonId: string;
}

export interface ChosenAgent {
  agentId: string;
  /** False when no breaker of the chain lets a call through: then `agentId` is the step's own agent. */
  isAllowed: boolean;
  /** Why it is not simply the step's own agent. */
  note?: string;
  /** When it is worth asking again; nothing when only a reset by hand helps. */
  retryAfterMs?: number | undefined;
}

/** The probe of a breaker that is half open is free again after this, should the baton never come back. */
const longestHoldMs = 30 * 60_000;

/** Who takes a baton: the step's own agent, or the first in the chain of its fallbacks whose breaker allows it. */
export async function chooseAgent(
  sql: Sql,
  { agentId, fallback, batonId }: AgentWish,
  change: Change,
): Promise<ChosenAgent> {
  const refused: string[] = [];
  let soonest: number | undefined;
  for (let next: string | null = agentId; next !== null && !refused.includes(next); ) {
    const candidate: string = next;
    const stored = await loadCircuit(sql, candidate, change.at);
    if (await acquire(sql, stored, holderOf(batonId), change)) {
      if (candidate === agentId) return { agentId, isAllowed: true };
      const note = `${candidate} stands in for ${agentId}: ${breakersOf(refused)} open.`;
      return { agentId: candidate, isAllowed: true, note };
    }
    const waitMs = retryAfterMs(stored.circuit, change.at);
    if (waitMs !== undefined) soonest = Math.min(soonest ?? waitMs, waitMs);
    refused.push(candidate);
    next = (candidate === agentId ? fallback : null) ?? stored.config.fallbackAgent;
  }
  const note = `${breakersOf(refused)} open, and nobody else is there to stand in.`;
  return { agentId, isAllowed: false, note, retryAfterMs: soonest };
}

export async function reportSuccess(sql: Sql, agentId: string, batonId: string, change: Change): Promise<void> {
  await releaseProbes(sql, holderOf(batonId));
  const stored = await loadCircuit(sql, agentId, change.at);
  await countSuccess(sql, stored, change.at);
  await moveTo(sql, stored, afterSuccess(stored.circuit, stored.config), 'its probes succeeded', change);
}

export async function reportFailure(
  sql: Sql,
  agentId: string,
  batonId: string,
  failure: Failure,
  change: Change,
): Promise<void> {
  await releaseProbes(sql, holderOf(batonId));
  const stored = await loadCircuit(sql, agentId, change.at);
  if (stored.circuit.state === 'open') {
    await sql.run(
      'update breakers set total_failures = total_failures + 1, last_failure_at = ? where id = ?',
      change.at,
      agentId,
    );
    return;
  }
  await countFailure(sql, agentId, failure, change.at);
  const next = afterFailure(stored.circuit, stored.config, change.at);
  await moveTo(sql, stored, next, `${failure.type}: ${failure.message}`, change);
}

/** A baton came to nothing that speaks for or against its agent. */
export const forgetProbe = (sql: Sql, batonId: string): Promise<void> => releaseProbes(sql, holderOf(batonId));

const holderOf = (batonId: string): string => `relay:${batonId}`;

function breakersOf(agents: readonly string[]): string {
  return agents.length === 1 ? `the breaker of ${agents[0]} is` : `the breakers of ${agents.join(', ')} are`;
}

async function acquire(sql: Sql, stored: StoredCircuit, holder: string, change: Change): Promise<boolean> {
  const { circuit, config, row } = stored;
  if (circuit.state !== row.state) await moveTo(sql, stored, circuit, 'the cooldown is over', change);
  if (!admits(circuit, config)) return false;
  if (circuit.state === 'half_open') {
    await sql.run(
      'insert into breaker_permits (permit, breaker_id, expires_at) values (?, ?, ?)',
      `${holder}/${newShortId()}`,
      row.id,
      change.at + longestHoldMs,
    );
  }
  return true;
}

async function moveTo(
  sql: Sql,
  stored: StoredCircuit,
  circuit: Circuit,
  reason: string,
  change: Change,
): Promise<void> {
  await storeCircuit(sql, stored, circuit, change.at);
  const from = isTripped(stored, circuit) ? stored.circuit.state : stored.row.state;
  if (circuit.state === from) return;
  await recordEvent(sql, {
    ...change,
    subject: 'breaker',
    subjectId: stored.row.id,
    type: circuit.state === 'open' ? 'failure_trip' : circuit.state === 'closed' ? 'recovery' : 'half_open',
    data: { from_state: from, to_state: circuit.state, reason },
  });
}
