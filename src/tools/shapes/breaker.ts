import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { Breaker, RecentFailure } from '../../core/breakers/list-breakers.js';
import type { BreakerState } from '../../core/breakers/machine.js';
import type { Event } from '../../core/events/events.js';
import { iso } from '../call/fields.js';
import { configOutput, showConfig } from './breaker-config.js';

export const stateWord = z.enum(['CLOSED', 'OPEN', 'HALF_OPEN']);

export function showState(state: BreakerState): z.input<typeof stateWord> {
  return stateWord.parse(state.toUpperCase());
}

export const briefBreaker = z.object({
  state: stateWord,
  can_execute: z.boolean(),
  failure_count: z.int(),
  trip_count: z.int(),
  cooldown_until: z.string().nullable(),
  reason: z.string().optional(),
});

export const breakerOutput = z.object({
  agent_id: z.string(),
  ...briefBreaker.shape,
  success_count: z.int().describe('Probes that have succeeded since it is half open.'),
  half_open_calls: z.int().describe('Probes under way, over all sessions.'),
  held: z.boolean().optional().describe('Tripped by hand to stay open until circuit_breaker_reset.'),
  time_until_trial: z.int().nullable().describe('Seconds until it lets a probe through.'),
  total_failures: z.int(),
  total_successes: z.int(),
  last_failure_time: z.string().nullable(),
  last_success_time: z.string().nullable(),
  created_at: z.string().nullable().describe('null: never used yet, so it lets calls through.'),
  config: configOutput,
});

export function showBriefBreaker({ circuit, canExecute, totals, reason }: Breaker): z.input<typeof briefBreaker> {
  return {
    state: showState(circuit.state),
    can_execute: canExecute,
    failure_count: circuit.failures.length,
    trip_count: totals.trips,
    cooldown_until: iso(circuit.cooldownUntil),
    reason: reason === null ? undefined : cut(reason, 120),
  };
}

export function showBreaker(breaker: Breaker, now: number): z.input<typeof breakerOutput> {
  const { id, circuit, config, totals, createdAt } = breaker;
  const { cooldownUntil } = circuit;
  return {
    agent_id: id,
    ...showBriefBreaker(breaker),
    success_count: circuit.halfOpenSuccesses,
    half_open_calls: circuit.permits,
    held: circuit.isHeld ? true : undefined,
    time_until_trial: cooldownUntil === null ? null : toSeconds(cooldownUntil - now),
    total_failures: totals.failures,
    total_successes: totals.successes,
    last_failure_time: iso(totals.lastFailureAt),
    last_success_time: iso(totals.lastSuccessAt),
    created_at: iso(createdAt),
    config: showConfig(config),
  };
}

/** Rounded up: asking again before that would be in vain. */
export function toSeconds(ms: number): number {
  return Math.max(0, Math.ceil(ms / 1000));
}

export const failureOutput = z.object({
  failure_id: z.string(),
  agent_id: z.string(),
  failure_type: z.string(),
  error_message: z.string().nullable(),
  timestamp: z.string(),
  context: z.record(z.string(), z.unknown()),
});

export function showFailure(agentId: string, failure: RecentFailure): z.input<typeof failureOutput> {
  return {
    failure_id: failure.id,
    agent_id: agentId,
    failure_type: failure.type,
    error_message: failure.message === null ? null : cut(failure.message, 120),
    timestamp: iso(failure.at),
    context: failure.context,
  };
}

export const eventOutput = z.object({
  event_type: z.string(),
  from_state: z.string().nullable(),
  to_state: z.string().nullable(),
  reason: z.string().nullable(),
  timestamp: z.string(),
});

export function showBreakerEvent({ type, data, at }: Event): z.input<typeof eventOutput> {
  const word = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    event_type: type,
    from_state: word(data.from_state)?.toUpperCase() ?? null,
    to_state: word(data.to_state)?.toUpperCase() ?? null,
    reason: word(data.reason),
    timestamp: iso(at),
  };
}
