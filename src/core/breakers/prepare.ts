import type { Sql } from '../../store/sql.js';
import type { BreakerConfig, BreakerState } from './machine.js';

export type PreparedConfig = Pick<
  BreakerConfig,
  'failureThreshold' | 'windowSeconds' | 'cooldownSeconds' | 'halfOpenMaxCalls' | 'successThreshold'
>;

/** Makes a breaker with a configuration of its own, unless it is there already: what a person has set stays. */
export async function prepareBreaker(sql: Sql, id: string, config: PreparedConfig, now: number): Promise<void> {
  await sql.run(
    `insert into breakers (id, failure_threshold, window_seconds, cooldown_seconds, half_open_max_calls, success_threshold,
       created_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
    id,
    config.failureThreshold,
    config.windowSeconds,
    config.cooldownSeconds,
    config.halfOpenMaxCalls,
    config.successThreshold,
    now,
    now,
  );
}

/** Those that do not let every call through, with when that may change, epoch milliseconds; 0 where it may be now. */
export async function notClosed(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.all<{ id: string; state: BreakerState; cooldown_until: number | null; is_held: number }>(
    "select id, state, cooldown_until, is_held from breakers where state <> 'closed'",
  );
  return new Map(
    rows.map(({ id, state, cooldown_until, is_held }) => [
      id,
      is_held === 1 ? Number.POSITIVE_INFINITY : state === 'open' ? (cooldown_until ?? 0) : 0,
    ]),
  );
}
