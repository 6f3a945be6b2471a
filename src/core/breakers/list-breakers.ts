import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { isObject, type JsonObject, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { type Event, listEvents } from '../events/events.js';
import { type BreakerRow, readCircuit, usualFallback } from './circuit-rows.js';
import { stepOf } from './clock-step.js';
import {
  admits,
  type BreakerConfig,
  type BreakerState,
  type Circuit,
  closedCircuit,
  defaultConfig,
} from './machine.js';

/** A breaker at a moment. */
export interface Breaker {
  id: string;
  circuit: Circuit;
  config: BreakerConfig;
  canExecute: boolean;
  /** Why it is in its state, once it has changed. */
  reason: string | null;
  totals: Totals;
  /** Null for a breaker that was never used: it lets calls through. */
  createdAt: EpochMs | null;
}

/** Since the breaker was created. */
export interface Totals {
  failures: number;
  successes: number;
  trips: number;
  lastFailureAt: EpochMs | null;
  lastSuccessAt: EpochMs | null;
}

const noTotals: Totals = { failures: 0, successes: 0, trips: 0, lastFailureAt: null, lastSuccessAt: null };

/** Reads a breaker, with the defaults if it was never used. Writes nothing. */
export async function readBreaker(sql: Sql, id: string, clock: Clock): Promise<Breaker> {
  const stored = await readCircuit(sql, id, clock);
  if (!stored) {
    const config = { ...defaultConfig, fallbackAgent: usualFallback(id) };
    return { id, circuit: closedCircuit, config, canExecute: true, reason: null, totals: noTotals, createdAt: null };
  }
  const { row, circuit, config } = stored;
  const isCooledDown = row.state === 'open' && circuit.state === 'half_open';
  return {
    id,
    circuit,
    config,
    canExecute: admits(circuit, config),
    reason: isCooledDown ? 'the cooldown is over' : row.reason,
    totals: toTotals(row),
    createdAt: row.created_at,
  };
}

const toTotals = (row: BreakerRow): Totals => ({
  failures: row.total_failures,
  successes: row.total_successes,
  trips: row.trip_count,
  lastFailureAt: row.last_failure_at,
  lastSuccessAt: row.last_success_at,
});

export interface RecentFailure {
  id: string;
  type: string;
  message: string | null;
  context: JsonObject;
  at: EpochMs;
}

/** The last failures, oldest first, with those that no longer count. */
export async function recentFailures(sql: Sql, id: string, limit: number): Promise<RecentFailure[]> {
  const rows = await sql.all<Omit<RecentFailure, 'context'> & { context: string | null }>(
    `select id, failure_type as type, error_message as message, context, at from breaker_failures
     where breaker_id = ? order by seq desc limit ?`,
    id,
    limit,
  );
  return rows.reverse().map(({ context, ...row }) => ({ ...row, context: contextOf(context) }));
}

/** The context of a failure that an earlier server stored may be any JSON, or no JSON at all. */
function contextOf(text: string | null): JsonObject {
  if (text === null) return {};
  try {
    const value = readJson<unknown>(text);
    return isObject(value) ? value : {};
  } catch {
    return { text };
  }
}

export interface BreakerPage {
  /** The last id of the page before. */
  afterId?: string | undefined;
  limit: number;
}

/** Breakers that were ever used, by id. Throws `invalid` when no breaker has the id `afterId`. */
export async function listBreakers(sql: Sql, { afterId, limit }: BreakerPage, clock: Clock): Promise<Breaker[]> {
  if (afterId !== undefined && !(await sql.get('select 1 from breakers where id = ?', afterId))) {
    throw new RuntimeError(
      'invalid',
      `${JSON.stringify(afterId)} is not a cursor.`,
      'Pass the next_cursor of an earlier page.',
    );
  }
  const rows = await sql.all<{ id: string }>(
    'select id from breakers where id > ? order by id limit ?',
    afterId ?? '',
    limit,
  );
  const breakers: Breaker[] = [];
  for (const { id } of rows) breakers.push(await readBreaker(sql, id, clock));
  return breakers;
}

export async function countBreakers(sql: Sql): Promise<number> {
  const row = await sql.get<{ count: number }>('select count(*) as count from breakers');
  return row?.count ?? 0;
}

export interface TrippedBreaker {
  id: string;
  state: BreakerState;
  /** Null when it is half open, and when only a reset by hand helps. */
  cooldownUntil: EpochMs | null;
  isHeld: boolean;
}

/** The breakers that are not closed now, by id. */
export async function trippedBreakers(sql: Sql, clock: Clock, limit: number): Promise<TrippedBreaker[]> {
  const rows = await sql.all<OpenRow>(`${selectOpen} order by id limit ?`, limit);
  return rows.map((row) => {
    const { id, state } = row;
    const isHeld = row.is_held === 1;
    const cooldownUntil = row.cooldown_until === null ? null : row.cooldown_until + stepOf(row, clock);
    const isCooledDown = state === 'open' && !isHeld && clock.now() >= (cooldownUntil ?? 0);
    return isCooledDown
      ? { id, state: 'half_open', cooldownUntil: null, isHeld: false }
      : { id, state, cooldownUntil, isHeld };
  });
}

type OpenRow = Pick<BreakerRow, 'id' | 'state' | 'cooldown_until' | 'is_held' | 'clock_boot_id' | 'clock_boot_at'>;

const selectOpen = `select id, state, cooldown_until, is_held, clock_boot_id, clock_boot_at from breakers
  where state <> 'closed'`;

/** When each breaker that is not closed may allow a call: 0 where it may now, infinity where only a reset by hand helps. */
export async function openUntil(sql: Sql, clock: Clock): Promise<Map<string, EpochMs>> {
  const rows = await sql.all<OpenRow>(selectOpen);
  return new Map(
    rows.map((row) => {
      if (row.is_held === 1) return [row.id, Number.POSITIVE_INFINITY];
      return [row.id, row.state === 'open' ? (row.cooldown_until ?? 0) + stepOf(row, clock) : 0];
    }),
  );
}

/**
 * The history of a breaker, newest first: the changes of its state, not each failed call, which `recentFailures` has.
 * Throws `not_found` for an id that no breaker has or had.
 */
export async function breakerEvents(sql: Sql, id: string, limit: number): Promise<Event[]> {
  const events = await listEvents(sql, { subject: 'breaker', subjectId: id, exceptType: 'call_failed', limit });
  if (events.length === 0 && !(await sql.get('select 1 from breakers where id = ?', id))) {
    throw new RuntimeError(
      'not_found',
      `No breaker has the id ${JSON.stringify(id)}.`,
      'Call circuit_breaker_list to see the breakers there are.',
    );
  }
  return events;
}
