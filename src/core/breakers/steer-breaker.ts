import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import { loadCircuit } from './circuit-rows.js';
import type { Step } from './guard.js';
import { type BreakerConfig, closedCircuit, type FailureWeights, trippedByHand } from './machine.js';
import { moveCircuit } from './move-circuit.js';

export interface ByHand {
  now: number;
  actor?: Actor | undefined;
}

export interface Trip {
  reason: string;
  /** Stays open until it is reset by hand; otherwise its cooldown begins now. */
  mustHold?: boolean | undefined;
}

/** Opens a breaker. One that is held, or open for longer already, stays so. */
export async function tripIn(
  sql: Sql,
  id: string,
  { reason, mustHold = false }: Trip,
  { now, actor }: ByHand,
): Promise<Step & { cooldownUntil: number | null; isHeld: boolean }> {
  const stored = await loadCircuit(sql, id, now);
  const next = trippedByHand(stored.circuit, stored.config, now, mustHold);
  await moveCircuit(sql, stored, next, { now, actor, reason, byHand: 'manual_trip' });
  const { cooldownUntil, isHeld } = next;
  return { from: stored.circuit.state, to: next.state, cooldownUntil, isHeld };
}

/** Closes a breaker with a clean record; its totals stay. */
export async function resetIn(sql: Sql, id: string, { now, actor }: ByHand): Promise<Step> {
  const stored = await loadCircuit(sql, id, now);
  await moveCircuit(sql, stored, closedCircuit, { now, actor, reason: 'reset by hand', byHand: 'manual_reset' });
  return { from: stored.circuit.state, to: closedCircuit.state };
}

/** What is to be changed; what is not given stays, also of the weights. */
export type ConfigChanges = Wishes<Omit<BreakerConfig, 'failureWeights'>> & {
  failureWeights?: Wishes<FailureWeights> | undefined;
};

type Wishes<Shape> = { [Name in keyof Shape]?: Shape[Name] | undefined };

/** Changes what is given and nothing else. Throws `invalid` for an agent that would stand in for itself. */
export async function configureIn(
  sql: Sql,
  id: string,
  changes: ConfigChanges,
  { now, actor }: ByHand,
): Promise<BreakerConfig> {
  if (changes.fallbackAgent === id) {
    throw new RuntimeError(
      'invalid',
      `${id} cannot stand in for itself.`,
      'Name another fallback_agent, or "" for none.',
    );
  }
  const { row, config: before } = await loadCircuit(sql, id, now);
  const { failureWeights = {}, ...rules } = changes;
  const config: BreakerConfig = {
    ...before,
    ...given(rules),
    failureWeights: { ...before.failureWeights, ...given(failureWeights) },
  };
  const changed = differences(before, config);
  if (changed.length === 0) return config;
  await writeConfig(sql, id, config, now);
  await recordEvent(sql, {
    at: now,
    subject: 'breaker',
    subjectId: id,
    type: 'configured',
    actor,
    data: { from_state: row.state, to_state: row.state, reason: changed.join(', ') },
  });
  return config;
}

function given<Shape extends object>(wishes: Wishes<Shape>): Partial<Shape> {
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined)) as Partial<Shape>;
}

async function writeConfig(sql: Sql, id: string, config: BreakerConfig, now: number): Promise<void> {
  await sql.run(
    `update breakers set failure_threshold = ?, window_seconds = ?, failure_rate_threshold = ?, minimum_calls = ?,
       failure_weights = ?, cooldown_seconds = ?, cooldown_factor = ?, max_cooldown_seconds = ?,
       half_open_max_calls = ?, success_threshold = ?, fallback_agent = ?, updated_at = ? where id = ?`,
    config.failureThreshold,
    config.windowSeconds,
    config.failureRateThreshold,
    config.minimumCalls,
    JSON.stringify(config.failureWeights),
    config.cooldownSeconds,
    config.cooldownFactor,
    config.maxCooldownSeconds,
    config.halfOpenMaxCalls,
    config.successThreshold,
    config.fallbackAgent,
    now,
    id,
  );
  // What was counted before a pause in counting is no part of the rate after it.
  if (config.failureRateThreshold === null) await sql.run('delete from breaker_calls where breaker_id = ?', id);
}

/** `cooldown_seconds 300 -> 60` */
function differences(before: BreakerConfig, after: BreakerConfig): string[] {
  return (Object.keys(after) as (keyof BreakerConfig)[]).flatMap((name) => {
    const [old, now] = [JSON.stringify(before[name]), JSON.stringify(after[name])];
    return old === now ? [] : [`${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)} ${old} -> ${now}`];
  });
}
