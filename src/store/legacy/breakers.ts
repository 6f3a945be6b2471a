import type { Connection } from '../driver.js';
import { inserter, objectOf, oneOf, parseLegacyTime } from './read.js';

export interface LegacyBreaker {
  agent_id: string;
  state: string;
  total_failures: number | null;
  total_successes: number | null;
  trip_count: number | null;
  last_failure_time: string | null;
  last_success_time: string | null;
  cooldown_until: string | null;
  config: string | null;
  created_at: string | null;
  updated_at: string | null;
}

export function adoptBreakers(connection: Connection, breakers: LegacyBreaker[], now: number): void {
  const insert = inserter(connection, 'breakers');
  for (const breaker of breakers) {
    const config = objectOf(breaker.config);
    const setting = (name: string, otherwise: number) => Math.max(1, Math.trunc(Number(config[name] ?? otherwise)));
    insert({
      id: breaker.agent_id,
      state: oneOf(['closed', 'open', 'half_open'], breaker.state, 'closed'),
      failure_threshold: setting('failure_threshold', 5),
      window_seconds: setting('window_seconds', 60),
      cooldown_seconds: setting('cooldown_seconds', 300),
      half_open_max_calls: setting('half_open_max_calls', 3),
      success_threshold: setting('success_threshold', 2),
      fallback_agent: typeof config.fallback_agent === 'string' ? config.fallback_agent : null,
      cooldown_until: parseLegacyTime(breaker.cooldown_until),
      total_failures: breaker.total_failures ?? 0,
      total_successes: breaker.total_successes ?? 0,
      trip_count: breaker.trip_count ?? 0,
      last_failure_at: parseLegacyTime(breaker.last_failure_time),
      last_success_at: parseLegacyTime(breaker.last_success_time),
      created_at: parseLegacyTime(breaker.created_at) ?? now,
      updated_at: parseLegacyTime(breaker.updated_at) ?? now,
    });
  }
}

export interface LegacyFailure {
  failure_id: string;
  agent_id: string;
  failure_type: string;
  error_message: string | null;
  context: string | null;
  timestamp: string | null;
}

export function adoptBreakerFailures(connection: Connection, failures: LegacyFailure[], now: number): void {
  const insert = inserter(connection, 'breaker_failures');
  for (const failure of failures) {
    insert({
      id: failure.failure_id,
      breaker_id: failure.agent_id,
      failure_type: failure.failure_type,
      error_message: failure.error_message,
      context: failure.context,
      at: parseLegacyTime(failure.timestamp) ?? now,
    });
  }
}

export interface LegacyEvent {
  agent_id: string;
  event_type: string;
  from_state: string | null;
  to_state: string | null;
  reason: string | null;
  timestamp: string | null;
}

export function adoptBreakerEvents(connection: Connection, events: LegacyEvent[], now: number): void {
  const insert = inserter(connection, 'events');
  for (const { agent_id, event_type, from_state, to_state, reason, timestamp } of events) {
    insert({
      at: parseLegacyTime(timestamp) ?? now,
      subject: 'breaker',
      subject_id: agent_id,
      type: event_type,
      data: JSON.stringify({ from_state, to_state, reason }),
    });
  }
}
