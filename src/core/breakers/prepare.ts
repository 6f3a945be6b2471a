import type { Sql } from '../../store/sql.js';
import type { BreakerConfig } from './machine.js';

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

/** The ids of those that do not let every call through. */
export async function notClosed(sql: Sql): Promise<Set<string>> {
  const rows = await sql.all<{ id: string }>("select id from breakers where state <> 'closed'");
  return new Set(rows.map(({ id }) => id));
}
