export interface Breaker {
  agent_id: string;
  state: 'CLOSED' | 'OPEN' | 'HALF_OPEN';
  can_execute: boolean;
  /** Failures within the window. */
  failure_count: number;
  trip_count: number;
  cooldown_until: string | null;
  reason?: string;
  success_count: number;
  half_open_calls: number;
  held?: boolean;
  total_failures: number;
  total_successes: number;
  last_failure_time: string | null;
  last_success_time: string | null;
  created_at: string | null;
  config: BreakerRules;
}

export interface BreakerRules {
  failure_threshold: number;
  window_seconds: number;
  cooldown_seconds: number;
  fallback_agent: string | null;
  half_open_max_calls: number;
  success_threshold: number;
  failure_rate_threshold: number | null;
  minimum_calls: number;
  cooldown_factor: number;
  max_cooldown_seconds: number;
  failure_weights: Record<string, number>;
}

export interface Failure {
  failure_id: string;
  failure_type: string;
  error_message: string | null;
  timestamp: string;
}

export interface BreakerEvent {
  event_type: string;
  from_state: string | null;
  to_state: string | null;
  reason: string | null;
  timestamp: string;
}
