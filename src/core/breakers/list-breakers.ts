import { RuntimeError } from '../../base/errors.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { type Event, listEvents } from '../events/events.js';
import { type BreakerRow, readCircuit, usualFallback } from './circuit-rows.js';
import {
  admits,
  type BreakerConfig,
  type BreakerState,
  type Circuit,
  closedCircuit,
  defaultConfig,
} from './machine.js';

/** A breaker as it stands at a moment. */
export interface Breaker {
  id: string;
  circuit: Circuit;
  config: BreakerConfig;
  canExecute: boolean;
  /** Why it is in its state, once it has changed. */
  reason: string | null;
  totals: Pick<BreakerRow, 'total_failures' | 'total_successes' | 'trip_count' | 'last_failure_at' | 'last_success_at'>;
  /** Null for one that nobody has used yet: it lets calls through. */
  createdAt: number | null;
}

const unused: Breaker['totals'] = {
  total_failures: 0,
  total_successes: 0,
  trip_count: 0,
  last_failure_at: null,
  last_success_at: null,
};

/** Reads one, also one that nobody has used yet; writes nothing. */
export async function readBreaker(sql: Sql, id: string, now: number): Promise<Breaker> {
  const stored = await readCircuit(sql, id, now);
  if (!stored) {
    const config = { ...defaultConfig, fallbackAgent: usualFallback(id) };
    return { id, circuit: closedCircuit, config, canExecute: true, reason: null, totals: unused, createdAt: null };
  }
  const { row, circuit, config } = stored;
  const isCooledDown = row.state === 'open' && circuit.state === 'half_open';
  return {
    id,
    circuit,
    config,
    canExecute: admits(circuit, config),
    reason: isCooledDown ? 'the cooldown is over' : row.reason,
    totals: row,
    createdAt: row.created_at,
  };
}

export interface RecentFailure {
  id: string;
  type: string;
  message: string | null;
  context: JsonObject;
  at: number;
}

/** The last failures, oldest first, also those that no longer count. */
export async function recentFailures(sql: Sql, id: string, limit: number): Promise<RecentFailure[]> {
  const rows = await sql.all<Omit<RecentFailure, 'context'> & { context: string | null }>(
    `select id, failure_type as type, error_message as message, context, at from breaker_failures
     where breaker_id = ? order by seq desc limit ?`,
    id,
    limit,
  );
  return rows.reverse().map(({ context, ...row }) => ({ ...row, context: contextOf(context) }));
}

/** One of the earlier server may be any JSON, or no JSON at all. */
function contextOf(text: string | null): JsonObject {
  if (text === null) return {};
  try {
    const value = readJson<unknown>(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  } catch {
    return { text };
  }
}

export interface BreakerPage {
  /** The id that the page before ended with. */
  afterId?: string | undefined;
  limit: number;
}

/** Breakers that were ever used, by id. Throws `invalid` for a page that follows no breaker. */
export async function listBreakers(sql: Sql, { afterId, limit }: BreakerPage, now: number): Promise<Breaker[]> {
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
  for (const { id } of rows) breakers.push(await readBreaker(sql, id, now));
  return breakers;
}

export async function countBreakers(sql: Sql): Promise<number> {
  const row = await sql.get<{ count: number }>('select count(*) as count from breakers');
  return row?.count ?? 0;
}

export interface TrippedBreaker {
  id: string;
  state: BreakerState;
  /** Null when it is half open, and when only a reset by hand will help. */
  cooldownUntil: number | null;
  isHeld: boolean;
}

/** Those that are not closed now, by id. */
export async function trippedBreakers(sql: Sql, now: number, limit: number): Promise<TrippedBreaker[]> {
  const rows = await sql.all<{ id: string; state: BreakerState; cooldownUntil: number | null; isHeld: number }>(
    `select id, state, cooldown_until as "cooldownUntil", is_held as "isHeld" from breakers
     where state <> 'closed' order by id limit ?`,
    limit,
  );
  return rows.map(({ id, state, cooldownUntil, isHeld }) => {
    const isCooledDown = state === 'open' && isHeld === 0 && now >= (cooldownUntil ?? 0);
    return isCooledDown
      ? { id, state: 'half_open', cooldownUntil: null, isHeld: false }
      : { id, state, cooldownUntil, isHeld: isHeld === 1 };
  });
}

/** What happened to a breaker, newest first. Throws `not_found` for an id that no breaker has or had. */
export async function breakerEvents(sql: Sql, id: string, limit: number): Promise<Event[]> {
  const events = await listEvents(sql, { subject: 'breaker', subjectId: id, limit });
  if (events.length === 0 && !(await sql.get('select 1 from breakers where id = ?', id))) {
    throw new RuntimeError(
      'not_found',
      `No breaker of the id ${JSON.stringify(id)} was ever used.`,
      'Call circuit_breaker_list to see those there are.',
    );
  }
  return events;
}
