import type { Connection } from '../connection.js';
import { inserter, integerOf, objectOf, textOf, timeOf, wordOf } from './read.js';
import type { LegacyRow } from './tables.js';

export function adoptBreakers(connection: Connection, breakers: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'breakers');
  for (const breaker of breakers) {
    const config = objectOf(breaker.config);
    const setting = (name: string, otherwise: number, least = 1) => Math.max(least, integerOf(config[name], otherwise));
    insert({
      id: textOf(breaker.agent_id) ?? '',
      state: wordOf(['closed', 'open', 'half_open'], breaker.state) ?? 'closed',
      failure_threshold: setting('failure_threshold', 5),
      window_seconds: setting('window_seconds', 60),
      cooldown_seconds: setting('cooldown_seconds', 300, 0),
      half_open_max_calls: setting('half_open_max_calls', 3),
      success_threshold: setting('success_threshold', 2),
      fallback_agent: textOf(config.fallback_agent),
      cooldown_until: timeOf(breaker.cooldown_until),
      total_failures: integerOf(breaker.total_failures, 0),
      total_successes: integerOf(breaker.total_successes, 0),
      trip_count: integerOf(breaker.trip_count, 0),
      last_failure_at: timeOf(breaker.last_failure_time),
      last_success_at: timeOf(breaker.last_success_time),
      created_at: timeOf(breaker.created_at) ?? now,
      updated_at: timeOf(breaker.updated_at) ?? now,
    });
  }
}

export function adoptBreakerFailures(connection: Connection, failures: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'breaker_failures');
  for (const failure of failures) {
    insert({
      id: textOf(failure.failure_id) ?? '',
      breaker_id: textOf(failure.agent_id) ?? '',
      failure_type: textOf(failure.failure_type) ?? 'exception',
      error_message: textOf(failure.error_message),
      context: textOf(failure.context),
      at: timeOf(failure.timestamp) ?? now,
    });
  }
}

export function adoptBreakerEvents(connection: Connection, events: readonly LegacyRow[], now: number): void {
  const insert = inserter(connection, 'events');
  for (const { agent_id, event_type, from_state, to_state, reason, timestamp } of events) {
    insert({
      at: timeOf(timestamp) ?? now,
      subject: 'breaker',
      subject_id: textOf(agent_id) ?? '',
      type: textOf(event_type) ?? '',
      data: JSON.stringify({ from_state, to_state, reason }),
    });
  }
}
