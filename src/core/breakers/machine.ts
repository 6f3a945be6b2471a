import type { EpochMs } from '../../base/clock.js';

/**
 * A circuit breaker (Nygard, Release It!, "Circuit Breaker") as pure functions over its state. Closed lets calls
 * through and counts failures in a sliding window; open refuses them until a cooldown is over; half-open lets a counted
 * number of probe calls through, each with a permit, closes after enough of them succeed, and opens again on the first that
 * fails.
 */
export const breakerStates = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof breakerStates)[number];

export const failureTypes = [
  'timeout',
  'exception',
  'quality_failure',
  'resource_exhausted',
  'rate_limited',
  'invalid_output',
] as const;
export type FailureType = (typeof failureTypes)[number];

/** How much a failure of each type counts: 1 unless given, 0 for a type that says nothing about the agent's health. */
export type FailureWeights = Partial<Record<FailureType, number>>;

export interface BreakerConfig {
  /** The weight of failures within the window that opens it. */
  failureThreshold: number;
  windowSeconds: number;
  /** Share of failed calls within the window that opens it too: above 0, at most 1. Null: only `failureThreshold` counts. */
  failureRateThreshold: number | null;
  /** Fewer calls than this within the window have no failure rate. */
  minimumCalls: number;
  failureWeights: FailureWeights;
  /** How long it stays open. */
  cooldownSeconds: number;
  /** Multiplies the cooldown each time it opens again without having closed; 1 keeps it the same. */
  cooldownFactor: number;
  /** The cooldown grows up to this. A `cooldownSeconds` above it stays as it is. */
  maxCooldownSeconds: number;
  /** Permits given out at once while half open, over all processes. */
  halfOpenMaxCalls: number;
  /** Calls that must succeed while half open to close it. */
  successThreshold: number;
  /** The agent whose breaker is asked instead while this one is open. */
  fallbackAgent: string | null;
}

export const defaultConfig: BreakerConfig = {
  failureThreshold: 5,
  windowSeconds: 60,
  failureRateThreshold: null,
  minimumCalls: 10,
  failureWeights: {},
  cooldownSeconds: 300,
  cooldownFactor: 1,
  maxCooldownSeconds: 3_600,
  halfOpenMaxCalls: 3,
  successThreshold: 2,
  fallbackAgent: 'generalist',
};

export interface Circuit {
  state: BreakerState;
  /** When the cooldown ends; null unless open, and while held. */
  cooldownUntil: EpochMs | null;
  /** Tripped by hand to stay open until it is reset by hand. */
  isHeld: boolean;
  halfOpenSuccesses: number;
  /** Times it has opened by failures since it was last closed. */
  consecutiveTrips: number;
  /** Failures inside the window that no success has cancelled out, oldest first. */
  failures: readonly CountedFailure[];
  /** How the calls within the window ended; empty without a `failureRateThreshold`. */
  calls: readonly CallCount[];
  /** Permits given out while half open whose calls have not ended. */
  permits: number;
}

export interface CountedFailure {
  at: EpochMs;
  weight: number;
}

/** Calls that ended in one slice of the window. Counting by slice keeps a busy breaker as small as an idle one. */
export interface CallCount {
  /** When the slice begins. */
  at: EpochMs;
  succeeded: number;
  failed: number;
}

export const closedCircuit: Circuit = {
  state: 'closed',
  cooldownUntil: null,
  isHeld: false,
  halfOpenSuccesses: 0,
  consecutiveTrips: 0,
  failures: [],
  calls: [],
  permits: 0,
};

/** The circuit at `now`: without what is older than the window, and half open if its cooldown has ended. */
export function atTime(circuit: Circuit, config: BreakerConfig, now: EpochMs): Circuit {
  const isInWindow = ({ at }: { at: number }) => at > windowStart(config, now);
  const failures = circuit.failures.filter(isInWindow);
  const calls = circuit.calls.filter(isInWindow);
  const isCooledDown = circuit.state === 'open' && !circuit.isHeld && now >= (circuit.cooldownUntil ?? 0);
  return isCooledDown
    ? { ...circuit, failures, calls, state: 'half_open', cooldownUntil: null, halfOpenSuccesses: 0, permits: 0 }
    : { ...circuit, failures, calls };
}

/** The window's start: failures and calls at or before it do not count. */
export function windowStart(config: BreakerConfig, now: EpochMs): number {
  return now - config.windowSeconds * 1000;
}

/** Whether one more call may be made; while half open it takes a permit. */
export function admits(circuit: Circuit, config: BreakerConfig): boolean {
  if (circuit.state === 'open') return false;
  return circuit.state === 'closed' || circuit.permits < config.halfOpenMaxCalls;
}

export interface FailedCall {
  type?: FailureType;
  /** How long the agent or its server asks callers to wait. If the circuit opens, it stays open at least as long. */
  retryAfterMs?: number | undefined;
}

/** Counts a failed call. While open it is not counted: it began before the circuit opened. */
export function afterFailure(
  circuit: Circuit,
  config: BreakerConfig,
  now: EpochMs,
  { type = 'exception', retryAfterMs = 0 }: FailedCall = {},
): Circuit {
  const weight = weightOf(config, type);
  if (weight === 0) return circuit;
  if (circuit.state === 'open') return openUntil(circuit, now + retryAfterMs);
  const counted: Circuit = {
    ...circuit,
    failures: [...circuit.failures, { at: now, weight }],
    calls: withCall(circuit, config, now, 'failed'),
  };
  if (circuit.state === 'closed' && !hasFailedTooOften(counted, config)) return counted;
  const cooldown = Math.max(cooldownMs(config, circuit.consecutiveTrips), retryAfterMs);
  return { ...opened(counted, now + cooldown), consecutiveTrips: circuit.consecutiveTrips + 1 };
}

/** Counts a successful call: while closed it cancels out the oldest failure, while half open it counts towards closing. */
export function afterSuccess(circuit: Circuit, config: BreakerConfig, now: EpochMs): Circuit {
  if (circuit.state === 'open') return circuit;
  if (circuit.state === 'closed') {
    return { ...circuit, failures: circuit.failures.slice(1), calls: withCall(circuit, config, now, 'succeeded') };
  }
  const halfOpenSuccesses = circuit.halfOpenSuccesses + 1;
  return halfOpenSuccesses >= config.successThreshold ? closedCircuit : { ...circuit, halfOpenSuccesses };
}

/** Opens the circuit until a time, or until it is reset by hand. */
export function opened(circuit: Circuit, until: number | 'reset'): Circuit {
  const isHeld = until === 'reset';
  const cooldownUntil = isHeld ? null : until;
  return { ...circuit, state: 'open', cooldownUntil, isHeld, halfOpenSuccesses: 0, calls: [], permits: 0 };
}

/** Opens the circuit by hand. A longer cooldown or a hold that is already there stays. */
export function trippedByHand(circuit: Circuit, config: BreakerConfig, now: EpochMs, mustHold: boolean): Circuit {
  if (mustHold || circuit.isHeld) return opened(circuit, 'reset');
  return opened(circuit, Math.max(now + config.cooldownSeconds * 1000, circuit.cooldownUntil ?? 0));
}

/** Milliseconds until it is worth asking again; undefined when only a reset by hand helps. */
export function retryAfterMs(circuit: Circuit, now: EpochMs): number | undefined {
  if (circuit.isHeld) return undefined;
  if (circuit.state === 'open') return Math.max(0, (circuit.cooldownUntil ?? now) - now);
  // Half open with all permits out: one of those calls will end soon.
  return permitWaitMs;
}

export function weightOf(config: BreakerConfig, type: FailureType): number {
  return config.failureWeights[type] ?? 1;
}

/** A call of a model or an agent takes some seconds. */
const permitWaitMs = 5_000;

function openUntil(circuit: Circuit, until: number): Circuit {
  return circuit.isHeld || until <= (circuit.cooldownUntil ?? 0) ? circuit : { ...circuit, cooldownUntil: until };
}

function hasFailedTooOften({ failures, calls }: Circuit, config: BreakerConfig): boolean {
  const weight = failures.reduce((sum, failure) => sum + failure.weight, 0);
  // Ten weights of 0.1 add up to a little less than 1 in binary.
  if (weight + 1e-9 >= config.failureThreshold) return true;
  if (config.failureRateThreshold === null) return false;
  const failed = calls.reduce((sum, slice) => sum + slice.failed, 0);
  const all = calls.reduce((sum, slice) => sum + slice.succeeded, failed);
  return all >= config.minimumCalls && failed / all >= config.failureRateThreshold;
}

/** Slices of the window. A call drops out at most one slice too early. */
const slices = 60;

function withCall(
  { state, calls }: Circuit,
  { failureRateThreshold, windowSeconds }: BreakerConfig,
  now: EpochMs,
  ending: 'succeeded' | 'failed',
): readonly CallCount[] {
  if (failureRateThreshold === null || state !== 'closed') return [];
  const sliceMs = Math.ceil((windowSeconds * 1000) / slices);
  const at = now - (now % sliceMs);
  const known = calls.find((slice) => slice.at === at) ?? { at, succeeded: 0, failed: 0 };
  return [...calls.filter((slice) => slice !== known), { ...known, [ending]: known[ending] + 1 }];
}

function cooldownMs({ cooldownSeconds, cooldownFactor, maxCooldownSeconds }: BreakerConfig, trips: number): number {
  const grown = Math.min(cooldownSeconds * cooldownFactor ** trips, maxCooldownSeconds);
  return Math.round(Math.max(cooldownSeconds, grown) * 1000);
}
