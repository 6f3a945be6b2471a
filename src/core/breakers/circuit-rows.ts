import { newShortId } from '../../base/ids.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import {
  atTime,
  type BreakerConfig,
  type BreakerState,
  type CallCount,
  type Circuit,
  type CountedFailure,
  defaultConfig,
  type FailureType,
  type FailureWeights,
  weightOf,
  windowStart,
} from './machine.js';

export interface BreakerRow {
  id: string;
  state: BreakerState;
  failure_threshold: number;
  window_seconds: number;
  failure_rate_threshold: number | null;
  minimum_calls: number;
  failure_weights: string;
  cooldown_seconds: number;
  cooldown_factor: number;
  max_cooldown_seconds: number;
  half_open_max_calls: number;
  success_threshold: number;
  fallback_agent: string | null;
  cooldown_until: number | null;
  is_held: number;
  half_open_successes: number;
  consecutive_trips: number;
  reason: string | null;
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
  /** The rows behind `circuit.failures`: the very same objects. */
  counted: readonly FailureInWindow[];
}

interface FailureInWindow extends CountedFailure {
  seq: number;
}

/** The breaker as it stands at `now`, made with the defaults if nobody has used it before. */
export async function loadCircuit(sql: Sql, id: string, now: number): Promise<StoredCircuit> {
  const known = await readCircuit(sql, id, now);
  if (known) return known;
  await sql.run(
    'insert into breakers (id, fallback_agent, created_at, updated_at) values (?, ?, ?, ?)',
    id,
    usualFallback(id),
    now,
    now,
  );
  const made = await readCircuit(sql, id, now);
  if (!made) throw new Error('A row that was just written is gone.');
  return made;
}

/** The breaker as it stands at `now`, if it was ever used; writes nothing. */
export async function readCircuit(sql: Sql, id: string, now: number): Promise<StoredCircuit | undefined> {
  const row = await sql.get<BreakerRow>('select * from breakers where id = ?', id);
  if (!row) return undefined;
  const config = configOf(row);
  const start = windowStart(config, now);
  const counted = await sql.all<FailureInWindow>(
    'select seq, at, weight from breaker_failures where breaker_id = ? and at > ? and is_counted = 1 order by seq',
    id,
    start,
  );
  const circuit: Circuit = {
    state: row.state,
    cooldownUntil: row.cooldown_until,
    isHeld: row.is_held === 1,
    halfOpenSuccesses: row.half_open_successes,
    consecutiveTrips: row.consecutive_trips,
    failures: counted,
    calls: config.failureRateThreshold === null ? [] : await readCalls(sql, id, start),
    // Only a half-open breaker has any: closing and opening end them.
    probes: row.state === 'half_open' ? await countProbes(sql, id, now) : 0,
  };
  return { row, config, circuit: atTime(circuit, config, now), counted };
}

export function configOf(row: BreakerRow): BreakerConfig {
  return {
    failureThreshold: row.failure_threshold,
    windowSeconds: row.window_seconds,
    failureRateThreshold: row.failure_rate_threshold,
    minimumCalls: row.minimum_calls,
    failureWeights: readJson<FailureWeights>(row.failure_weights),
    cooldownSeconds: row.cooldown_seconds,
    cooldownFactor: row.cooldown_factor,
    maxCooldownSeconds: row.max_cooldown_seconds,
    halfOpenMaxCalls: row.half_open_max_calls,
    successThreshold: row.success_threshold,
    fallbackAgent: row.fallback_agent,
  };
}

/** Only agents stand in for agents: a provider, a server and a job type have no generalist, nor has he himself. */
export function usualFallback(id: string): string | null {
  return id.includes(':') || id === defaultConfig.fallbackAgent ? null : defaultConfig.fallbackAgent;
}

function readCalls(sql: Sql, id: string, start: number): Promise<CallCount[]> {
  return sql.all<CallCount>(
    'select at, succeeded, failed from breaker_calls where breaker_id = ? and at > ? order by at',
    id,
    start,
  );
}

async function countProbes(sql: Sql, id: string, now: number): Promise<number> {
  const row = await sql.get<{ count: number }>(
    'select count(*) as count from breaker_permits where breaker_id = ? and expires_at > ?',
    id,
    now,
  );
  return row?.count ?? 0;
}

/** Writes what a step of the machine has decided; a failure that the step has added is written by `writeFailure`. */
export async function storeCircuit(
  sql: Sql,
  stored: StoredCircuit,
  circuit: Circuit,
  { now, reason }: { now: number; reason: string },
): Promise<void> {
  const { row, config } = stored;
  const isTripped = circuit.state === 'open' && stored.circuit.state !== 'open';
  await sql.run(
    `update breakers set state = ?, cooldown_until = ?, is_held = ?, half_open_successes = ?, consecutive_trips = ?,
       reason = ?, trip_count = trip_count + ?, updated_at = ? where id = ?`,
    circuit.state,
    circuit.cooldownUntil,
    Number(circuit.isHeld),
    circuit.halfOpenSuccesses,
    circuit.consecutiveTrips,
    circuit.state === row.state && !isTripped ? row.reason : reason,
    Number(isTripped),
    now,
    row.id,
  );
  if (circuit.state !== 'half_open') await sql.run('delete from breaker_permits where breaker_id = ?', row.id);
  const still = new Set<CountedFailure>(circuit.failures);
  for (const failure of stored.counted) {
    if (!still.has(failure)) await sql.run('update breaker_failures set is_counted = 0 where seq = ?', failure.seq);
  }
  await storeCalls(sql, row.id, stored.circuit.calls, circuit.calls, windowStart(config, now));
}

async function storeCalls(
  sql: Sql,
  id: string,
  before: readonly CallCount[],
  after: readonly CallCount[],
  start: number,
): Promise<void> {
  const known = new Set(before);
  for (const slice of after.filter((slice) => !known.has(slice))) {
    await sql.run('delete from breaker_calls where breaker_id = ? and at <= ?', id, start);
    await sql.run(
      `insert into breaker_calls (breaker_id, at, succeeded, failed) values (?, ?, ?, ?)
       on conflict (breaker_id, at) do update set succeeded = excluded.succeeded, failed = excluded.failed`,
      id,
      slice.at,
      slice.succeeded,
      slice.failed,
    );
  }
  if (before.length > 0 && after.length === 0) await sql.run('delete from breaker_calls where breaker_id = ?', id);
}

export interface Failure {
  type: FailureType;
  message: string;
  context?: string | undefined;
}

/** Failures that are kept to be looked at when they no longer count. */
const keptFailures = 10;

/** Writes a failure and counts it in the totals; `isCounted` when the machine has taken it into its window. */
export async function writeFailure(
  sql: Sql,
  { row, config }: StoredCircuit,
  failure: Failure,
  isCounted: boolean,
  now: number,
): Promise<void> {
  await sql.run(
    `insert into breaker_failures (id, breaker_id, failure_type, error_message, context, at, weight, is_counted)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
    newShortId(),
    row.id,
    failure.type,
    failure.message,
    failure.context ?? null,
    now,
    weightOf(config, failure.type),
    Number(isCounted),
  );
  await sql.run(
    `delete from breaker_failures where breaker_id = ? and (is_counted = 0 or at <= ?) and seq not in
       (select seq from breaker_failures where breaker_id = ? order by seq desc limit ?)`,
    row.id,
    windowStart(config, now),
    row.id,
    keptFailures,
  );
  await sql.run(
    'update breakers set total_failures = total_failures + 1, last_failure_at = ? where id = ?',
    now,
    row.id,
  );
}

export async function countSuccess(sql: Sql, id: string, now: number): Promise<void> {
  await sql.run('update breakers set total_successes = total_successes + 1, last_success_at = ? where id = ?', now, id);
}
