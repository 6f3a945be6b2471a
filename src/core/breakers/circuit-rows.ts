import type { Clock, EpochMs } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import { readJson } from '../../base/json.js';
import { insertRow, rowOf } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import { updateRow } from '../../store/update-row.js';
import type { Change } from '../change.js';
import type { EventType } from '../events/event-types.js';
import { recordEvent } from '../events/events.js';
import { clockColumns, followClock, stepOf } from './clock-step.js';
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
  cooldown_until: EpochMs | null;
  is_held: number;
  half_open_successes: number;
  consecutive_trips: number;
  reason: string | null;
  total_failures: number;
  total_successes: number;
  trip_count: number;
  last_failure_at: EpochMs | null;
  last_success_at: EpochMs | null;
  created_at: EpochMs;
  updated_at: EpochMs;
  /** Of the clock that the times of the breaker are by: see `clock-step.ts`. */
  clock_boot_id: string | null;
  clock_boot_at: EpochMs | null;
}

export interface StoredCircuit {
  row: BreakerRow;
  config: BreakerConfig;
  circuit: Circuit;
  /** The rows behind `circuit.failures`: the same objects. */
  counted: readonly FailureInWindow[];
}

interface FailureInWindow extends CountedFailure {
  seq: number;
}

/** The breaker now, locked, its rows by this clock, for a change. Creates it with the defaults on first use. */
export async function loadCircuit(sql: Sql, id: string, clock: Clock): Promise<StoredCircuit> {
  await followClock(sql, id, clock);
  const known = await readCircuit(sql, id, clock);
  if (known) return known;
  const at = clock.now();
  const { clock_boot_id, clock_boot_at } = clockColumns(clock);
  // Another one that runs beside this may be faster.
  await sql.run(
    `insert into breakers (id, fallback_agent, created_at, updated_at, clock_boot_id, clock_boot_at)
     values (?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
    id,
    usualFallback(id),
    at,
    at,
    clock_boot_id,
    clock_boot_at,
  );
  await followClock(sql, id, clock);
  return rowOf(await readCircuit(sql, id, clock));
}

/** The breaker now, if it was ever used. Writes nothing. */
export async function readCircuit(sql: Sql, id: string, clock: Clock): Promise<StoredCircuit | undefined> {
  const row = await sql.get<BreakerRow>('select * from breakers where id = ?', id);
  if (!row) return undefined;
  const config = configOf(row);
  const step = stepOf(row, clock);
  // By the clock that the rows are by.
  const now = clock.now() - step;
  const start = windowStart(config, now);
  const counted = await sql.all<FailureInWindow>(
    `select seq, at + ? as at, weight from breaker_failures
     where breaker_id = ? and at > ? and is_counted = 1 order by seq`,
    step,
    id,
    start,
  );
  const circuit: Circuit = {
    state: row.state,
    cooldownUntil: row.cooldown_until === null ? null : row.cooldown_until + step,
    isHeld: row.is_held === 1,
    halfOpenSuccesses: row.half_open_successes,
    consecutiveTrips: row.consecutive_trips,
    failures: counted,
    calls: config.failureRateThreshold === null ? [] : await readCalls(sql, id, start, step),
    // Only a half-open breaker has any: closing and opening end them.
    permits: row.state === 'half_open' ? await countPermits(sql, id, now) : 0,
  };
  return { row, config, circuit: atTime(circuit, config, now + step), counted };
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

/** The generalist stands in for agents, except for itself. A provider, a server or a job type has no fallback. */
export function usualFallback(id: string): string | null {
  return id.includes(':') || id === defaultConfig.fallbackAgent ? null : defaultConfig.fallbackAgent;
}

function readCalls(sql: Sql, id: string, start: number, step: number): Promise<CallCount[]> {
  return sql.all<CallCount>(
    'select at + ? as at, succeeded, failed from breaker_calls where breaker_id = ? and at > ? order by at',
    step,
    id,
    start,
  );
}

async function countPermits(sql: Sql, id: string, now: EpochMs): Promise<number> {
  const row = await sql.get<{ count: number }>(
    'select count(*) as count from breaker_permits where breaker_id = ? and expires_at > ?',
    id,
    now,
  );
  return row?.count ?? 0;
}

export interface Move {
  reason: string;
  /** The event's type for a move by hand, which is recorded even if the state stays the same. */
  byHand?: 'manual_trip' | 'manual_reset';
}

/** Writes the circuit that the machine has decided on, and records an event when its state has changed. */
export async function moveCircuit(
  sql: Sql,
  stored: StoredCircuit,
  circuit: Circuit,
  { reason, byHand }: Move,
  change: Change,
): Promise<void> {
  const { row } = stored;
  await storeCircuit(sql, stored, circuit, reason, change.at);
  // The end of a cooldown is noticed by the next caller, so a move that begins there starts from half open.
  const from = circuit.state === stored.circuit.state ? row.state : stored.circuit.state;
  if (circuit.state === from && !byHand) return;
  const data = { from_state: from, to_state: circuit.state, reason };
  const type = byHand ?? eventTypes[circuit.state];
  await recordEvent(sql, { ...change, subject: 'breaker', subjectId: row.id, type, data });
}

const eventTypes: Record<BreakerState, EventType<'breaker'>> = {
  open: 'failure_trip',
  closed: 'recovery',
  half_open: 'half_open',
};

async function storeCircuit(
  sql: Sql,
  { row, config, circuit: before, counted }: StoredCircuit,
  circuit: Circuit,
  reason: string,
  now: EpochMs,
): Promise<void> {
  const isTripped = circuit.state === 'open' && before.state !== 'open';
  await updateRow<BreakerRow>(
    sql,
    'breakers',
    { id: row.id },
    {
      state: circuit.state,
      cooldown_until: circuit.cooldownUntil,
      is_held: Number(circuit.isHeld),
      half_open_successes: circuit.halfOpenSuccesses,
      consecutive_trips: circuit.consecutiveTrips,
      reason: circuit.state === row.state && !isTripped ? row.reason : reason,
      trip_count: row.trip_count + Number(isTripped),
      updated_at: now,
    },
  );
  if (circuit.state !== 'half_open') await sql.run('delete from breaker_permits where breaker_id = ?', row.id);
  const still = new Set<CountedFailure>(circuit.failures);
  for (const failure of counted) {
    if (!still.has(failure)) await sql.run('update breaker_failures set is_counted = 0 where seq = ?', failure.seq);
  }
  await storeCalls(sql, row.id, before.calls, circuit.calls, windowStart(config, now));
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

/** Failures that are kept for readers when they no longer count. */
const keptFailures = 10;

/** Stores a failure and counts it in the totals. `isCounted`: the machine has taken it into its window. */
export async function writeFailure(
  sql: Sql,
  { row, config }: StoredCircuit,
  failure: Failure,
  isCounted: boolean,
  now: EpochMs,
): Promise<void> {
  await insertRow(sql, 'breaker_failures', {
    id: newShortId(),
    breaker_id: row.id,
    failure_type: failure.type,
    error_message: failure.message,
    context: failure.context ?? null,
    at: now,
    weight: weightOf(config, failure.type),
    is_counted: Number(isCounted),
  });
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

export async function countSuccess(sql: Sql, id: string, now: EpochMs): Promise<void> {
  await sql.run('update breakers set total_successes = total_successes + 1, last_success_at = ? where id = ?', now, id);
}
