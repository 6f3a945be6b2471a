import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { ConfigChanges } from '../../core/breakers/configure-breaker.js';
import type { Breaker, RecentFailure } from '../../core/breakers/list-breakers.js';
import { type BreakerConfig, type BreakerState, failureTypes } from '../../core/breakers/machine.js';
import type { Event } from '../../core/events/events.js';
import { standardSpelling } from '../../core/relay/standard-agents.js';
import { iso, jsonObject, mark, whenTrue } from '../call/fields.js';

export const stateWord = z.enum(['CLOSED', 'OPEN', 'HALF_OPEN']);

export function showState(state: BreakerState): z.infer<typeof stateWord> {
  return stateWord.parse(state.toUpperCase());
}

/** Enough of a breaker to see whether it lets calls through. */
export const briefBreakerOutput = z.strictObject({
  state: stateWord,
  can_execute: z.boolean(),
  /** Failures within the window. */
  failure_count: z.int(),
  trip_count: z.int(),
  cooldown_until: z.string().nullable(),
  reason: z.string().optional(),
});

/** The rules of a breaker. */
export const breakerConfigOutput = z.strictObject({
  failure_threshold: z.int(),
  window_seconds: z.int(),
  cooldown_seconds: z.int(),
  fallback_agent: z.string().nullable(),
  half_open_max_calls: z.int(),
  success_threshold: z.int(),
  failure_rate_threshold: z.number().nullable(),
  minimum_calls: z.int(),
  cooldown_factor: z.number(),
  max_cooldown_seconds: z.int(),
  failure_weights: z.partialRecord(z.enum(failureTypes), z.number()),
});

/** A breaker in full. */
export const breakerOutput = z.strictObject({
  agent_id: z.string(),
  ...briefBreakerOutput.shape,
  /** Probes that have succeeded since it is half open. */
  success_count: z.int(),
  /** Probes under way, over all sessions. */
  half_open_calls: z.int(),
  /** Tripped by hand to stay open until circuit_breaker_reset. */
  held: mark,
  /** Seconds until it lets a probe through. */
  time_until_trial: z.int().nullable(),
  total_failures: z.int(),
  total_successes: z.int(),
  last_failure_time: z.string().nullable(),
  last_success_time: z.string().nullable(),
  /** null: never used yet, so it lets calls through. */
  created_at: z.string().nullable(),
  config: breakerConfigOutput,
});

export type ShownBreaker = z.infer<typeof breakerOutput>;

export function showBreakerBriefly({
  circuit,
  canExecute,
  totals,
  reason,
}: Breaker): z.infer<typeof briefBreakerOutput> {
  return {
    state: showState(circuit.state),
    can_execute: canExecute,
    failure_count: circuit.failures.length,
    trip_count: totals.trips,
    cooldown_until: iso(circuit.cooldownUntil),
    reason: reason === null ? undefined : cut(reason, 120),
  };
}

export function showBreaker(breaker: Breaker, now: number): z.infer<typeof breakerOutput> {
  const { id, circuit, config, totals, createdAt } = breaker;
  const { cooldownUntil } = circuit;
  return {
    agent_id: id,
    ...showBreakerBriefly(breaker),
    success_count: circuit.halfOpenSuccesses,
    half_open_calls: circuit.permits,
    held: whenTrue(circuit.isHeld),
    time_until_trial: cooldownUntil === null ? null : toSeconds(cooldownUntil - now),
    total_failures: totals.failures,
    total_successes: totals.successes,
    last_failure_time: iso(totals.lastFailureAt),
    last_success_time: iso(totals.lastSuccessAt),
    created_at: iso(createdAt),
    config: showConfig(config),
  };
}

/** Rounded up, so that who asks again after that time is not refused. */
export function toSeconds(ms: number): number {
  return Math.max(0, Math.ceil(ms / 1000));
}

/** A recorded failure. */
export const failureOutput = z.strictObject({
  failure_id: z.string(),
  agent_id: z.string(),
  failure_type: z.string(),
  error_message: z.string().nullable(),
  timestamp: z.string(),
  context: jsonObject,
});

/** `circuit_breaker_status`: a breaker in full, with its last failures. */
export const breakerStatusOutput = z.strictObject({ ...breakerOutput.shape, recent_failures: z.array(failureOutput) });

export type ShownBreakerStatus = z.infer<typeof breakerStatusOutput>;

/** `circuit_breaker_list`: a page of breakers by agent, and the agents of all that are not closed. */
export const breakerListOutput = z.strictObject({
  total_breakers: z.int(),
  open_circuits: z.array(z.string()),
  half_open_circuits: z.array(z.string()),
  breakers: z.record(z.string(), z.union([breakerOutput, briefBreakerOutput])),
  next_cursor: z.string().optional(),
});

export type ShownBreakerList = z.infer<typeof breakerListOutput>;

export function showFailure(agentId: string, failure: RecentFailure): z.infer<typeof failureOutput> {
  return {
    failure_id: failure.id,
    agent_id: agentId,
    failure_type: failure.type,
    error_message: failure.message === null ? null : cut(failure.message, 120),
    timestamp: iso(failure.at),
    context: failure.context,
  };
}

/** A change of a breaker's state or rules. */
export const breakerEventOutput = z.strictObject({
  event_type: z.string(),
  from_state: z.string().nullable(),
  to_state: z.string().nullable(),
  reason: z.string().nullable(),
  timestamp: z.string(),
});

/** `circuit_breaker_events`: the history of a breaker, newest first. */
export const breakerEventsOutput = z.strictObject({
  agent_id: z.string(),
  event_count: z.int(),
  events: z.array(breakerEventOutput),
});

export type ShownBreakerEvents = z.infer<typeof breakerEventsOutput>;

export function showBreakerEvent({ type, data, at }: Event): z.infer<typeof breakerEventOutput> {
  const word = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    event_type: type,
    from_state: word(data.from_state)?.toUpperCase() ?? null,
    to_state: word(data.to_state)?.toUpperCase() ?? null,
    reason: word(data.reason),
    timestamp: iso(at),
  };
}

export const seconds = (least: number, what: string) => z.int().min(least).max(86_400).optional().describe(what);
const weight = z.number().min(0).max(100).optional();

/** The rules of a breaker as a caller gives them: only those that change. */
export const configInput = z.strictObject({
  failure_threshold: z.int().min(1).max(10_000).optional().describe('Failures within the window that open it.'),
  window_seconds: seconds(1, 'How long a failure counts.'),
  cooldown_seconds: seconds(0, 'How long it stays open.'),
  fallback_agent: z
    .string()
    .trim()
    .max(200)
    .overwrite(standardSpelling)
    .optional()
    .describe('The agent that replaces it while it is open; "" for none.'),
  half_open_max_calls: z.int().min(1).max(1_000).optional().describe('Probes at once while half open.'),
  success_threshold: z.int().min(1).max(1_000).optional().describe('Probes that must succeed to close it.'),
  failure_rate_threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'It also opens when this share of the calls within the window has failed, such as 0.5; 0 for no such rule.',
    ),
  minimum_calls: z.int().min(1).max(1_000_000).optional().describe('The share counts only from this many calls on.'),
  cooldown_factor: z
    .number()
    .min(1)
    .max(10)
    .optional()
    .describe('The factor by which the cooldown grows each time a probe fails, such as 2; 1 for none.'),
  max_cooldown_seconds: seconds(0, 'The longest cooldown.'),
  failure_weights: z
    .strictObject({
      timeout: weight,
      exception: weight,
      quality_failure: weight,
      resource_exhausted: weight,
      rate_limited: weight,
      invalid_output: weight,
    })
    .optional()
    .describe('The weight of a failure by its type, 0 to 100, such as {"rate_limited": 0}; 1 unless given.'),
});

export function toChanges(given: z.output<typeof configInput>): ConfigChanges {
  return {
    failureThreshold: given.failure_threshold,
    windowSeconds: given.window_seconds,
    cooldownSeconds: given.cooldown_seconds,
    fallbackAgent: given.fallback_agent === '' ? null : given.fallback_agent,
    halfOpenMaxCalls: given.half_open_max_calls,
    successThreshold: given.success_threshold,
    failureRateThreshold: given.failure_rate_threshold === 0 ? null : given.failure_rate_threshold,
    minimumCalls: given.minimum_calls,
    cooldownFactor: given.cooldown_factor,
    maxCooldownSeconds: given.max_cooldown_seconds,
    failureWeights: given.failure_weights,
  };
}

export function showConfig(config: BreakerConfig): z.infer<typeof breakerConfigOutput> {
  return {
    failure_threshold: config.failureThreshold,
    window_seconds: config.windowSeconds,
    cooldown_seconds: config.cooldownSeconds,
    fallback_agent: config.fallbackAgent,
    half_open_max_calls: config.halfOpenMaxCalls,
    success_threshold: config.successThreshold,
    failure_rate_threshold: config.failureRateThreshold,
    minimum_calls: config.minimumCalls,
    cooldown_factor: config.cooldownFactor,
    max_cooldown_seconds: config.maxCooldownSeconds,
    failure_weights: config.failureWeights,
  };
}
