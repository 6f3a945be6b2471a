import { newShortId } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';
import {
  atTime,
  type BreakerConfig,
  type BreakerState,
  type Circuit,
  defaultConfig,
  type FailureType,
} from './machine.js';

export interface BreakerRow {
  id: string;
  state: BreakerState;
  failure_threshold: number;
  window_seconds: number;
  cooldown_seconds: number;
  half_open_max_calls: number;
  success_threshold: number;
  fallback_agent: string | null;
  cooldown_until: number | null;
  is_held: number;
  half_open_successes: number;
  total_failures: number;
  total_successes: number;
  trip_count: number;
  last_failure_at: number | null;
  last_success_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface StoredCircuit {
  row: BreakerRow;
  config: BreakerConfig;
  circuit: Circuit;
}

/** The breaker as it stands at `now`, made with the defaults if nobody has asked for it before. */
export async function loadCircuit(sql: Sql, id: string, now: number): Promise<StoredCircuit> {
  await sql.run(
    'insert into breakers (id, fallback_agent, created_at, updated_at) values (?, ?, ?, ?) on conflict (id) do nothing',
    id,
    // Only agents stand in for agents; a provider or a server has no generalist.
    id.includes(':') ? null : defaultConfig.fallbackAgent,
    now,
    now,
  );
  const row = await sql.get<BreakerRow>('select * from breakers where id = ?', id);
  if (!row) throw new Error('A row that was just written is gone.');
  const config = configOf(row);
  const windowStart = now - config.windowSeconds * 1000;
  await sql.run('delete from breaker_failures where breaker_id = ? and at <= ?', id, windowStart);
  const failures = await sql.all<{ at: number }>(
    'select at from breaker_failures where breaker_id = ? order by at',
    id,
  );
  const probes = await sql.get<{ count: number }>(
    'select count(*) as count from breaker_permits where breaker_id = ? and expires_at > ?',
    id,
    now,
  );
  const circuit: Circuit = {
    state: row.state,
    cooldownUntil: row.cooldown_until,
    isHeld: row.is_held === 1,
    halfOpenSuccesses: row.half_open_successes,
    failures: failures.map((failure) => failure.at),
    probes: probes?.count ?? 0,
  };
  return { row, config, circuit: atTime(circuit, config, now) };
}

export function configOf(row: BreakerRow): BreakerConfig {
  return {
    failureThreshold: row.failure_threshold,
    windowSeconds: row.window_seconds,
    cooldownSeconds: row.cooldown_seconds,
    halfOpenMaxCalls: row.half_open_max_calls,
    successThreshold: row.success_threshold,
    fallbackAgent: row.fallback_agent,
  };
}

/** Writes what a step of the machine has decided. */
export async function storeCircuit(sql: Sql, stored: StoredCircuit, circuit: Circuit, now: number): Promise<void> {
  const { row } = stored;
  await sql.run(
    `update breakers set state = ?, cooldown_until = ?, is_held = ?, half_open_successes = ?,
       trip_count = trip_count + ?, updated_at = ? where id = ?`,
    circuit.state,
    circuit.cooldownUntil,
    Number(circuit.isHeld),
    circuit.halfOpenSuccesses,
    Number(isTripped(stored, circuit)),
    now,
    row.id,
  );
  if (circuit.state !== 'half_open') await sql.run('delete from breaker_permits where breaker_id = ?', row.id);
  if (circuit.failures.length === 0) await sql.run('delete from breaker_failures where breaker_id = ?', row.id);
}

/** Whether a step of the machine opens it. */
export function isTripped({ circuit }: StoredCircuit, next: Circuit): boolean {
  return next.state === 'open' && circuit.state !== 'open';
}

export interface Failure {
  type: FailureType;
  message: string;
  context?: string | undefined;
}

export async function countFailure(sql: Sql, id: string, failure: Failure, now: number): Promise<void> {
  await sql.run(
    'insert into breaker_failures (id, breaker_id, failure_type, error_message, context, at) values (?, ?, ?, ?, ?, ?)',
    newShortId(),
    id,
    failure.type,
    failure.message,
    failure.context ?? null,
    now,
  );
  await sql.run('update breakers set total_failures = total_failures + 1, last_failure_at = ? where id = ?', now, id);
}

/** A success, which while closed makes up for the oldest failure of the window. */
export async function countSuccess(sql: Sql, { row, circuit }: StoredCircuit, now: number): Promise<void> {
  const { id } = row;
  await sql.run('update breakers set total_successes = total_successes + 1, last_success_at = ? where id = ?', now, id);
  if (circuit.state !== 'closed') return;
  await sql.run(
    `delete from breaker_failures where id =
       (select id from breaker_failures where breaker_id = ? order by at, id limit 1)`,
    id,
  );
}

/** Gives back the probes that a holder has taken and not answered. */
export async function releaseProbes(sql: Sql, holder: string): Promise<void> {
  // `0` follows `/` in every collation that compares bytes.
  await sql.run('delete from breaker_permits where permit >= ? and permit < ?', `${holder}/`, `${holder}0`);
}
