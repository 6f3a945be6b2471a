import { z } from 'zod';
import type { ConfigChanges } from '../../core/breakers/configure-breaker.js';
import { type BreakerConfig, failureTypes } from '../../core/breakers/machine.js';

export const seconds = (least: number, what: string) => z.int().min(least).max(86_400).optional().describe(what);
const weight = z.number().min(0).max(100).optional();

/** The rules of a breaker as they are given: each by itself. */
export const configInput = z.strictObject({
  failure_threshold: z.int().min(1).max(10_000).optional().describe('Failures within the window that open it.'),
  window_seconds: seconds(1, 'How long a failure counts.'),
  cooldown_seconds: seconds(0, 'How long it stays open.'),
  fallback_agent: z.string().trim().max(200).optional().describe('Who stands in while it is open; "" for nobody.'),
  half_open_max_calls: z.int().min(1).max(1_000).optional().describe('Probes at once while half open.'),
  success_threshold: z.int().min(1).max(1_000).optional().describe('Probes that must succeed to close it.'),
  failure_rate_threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Also open when this share of the calls within the window has failed, such as 0.5; 0 for no such rule.'),
  minimum_calls: z.int().min(1).max(1_000_000).optional().describe('Calls that the share needs to mean anything.'),
  cooldown_factor: z
    .number()
    .min(1)
    .max(10)
    .optional()
    .describe('What the cooldown grows by each time a probe fails, such as 2; 1 for none.'),
  max_cooldown_seconds: seconds(0, 'How far it grows.'),
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
    .describe('What a failure of a type counts, 0 to 100, such as {"rate_limited": 0}; 1 unless given.'),
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

export const configOutput = z.object({
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

export function showConfig(config: BreakerConfig): z.input<typeof configOutput> {
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
