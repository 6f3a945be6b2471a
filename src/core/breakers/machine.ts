/**
 * A circuit breaker (Nygard, Release It!, "Circuit Breaker") as pure functions over its state. Closed lets calls
 * through and counts failures in a sliding window; open refuses them until a cooldown is over; half-open lets a counted
 * number of probes through, closes after enough of them succeed, and opens again on the first that fails.
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

/** What a failure of each type counts for, where that is not 1; 0 for one that says nothing of the agent's health. */
export type FailureWeights = Partial<Record<FailureType, number>>;

export interface BreakerConfig {
  /** Failures within the window that open it, each by its weight. */
  failureThreshold: number;
  windowSeconds: number;
  /** Share of the calls within the window whose failure opens it too, above 0 up to 1; null for failures alone. */
  failureRateThreshold: number | null;
  /** Calls within the window without which their failure rate says nothing. */
  minimumCalls: number;
  failureWeights: FailureWeights;
  /** How long it stays open. */
  cooldownSeconds: number;
  /** What the cooldown is multiplied by each time it opens again without having closed; 1 for always the same. */
  cooldownFactor: number;
  /** How far a cooldown grows; one that is longer by itself stays as it is. */
  maxCooldownSeconds: number;
  /** Probes that may be under way at once while half open, over all processes. */
  halfOpenMaxCalls: number;
  /** Probes that must succeed to close it. */
  successThreshold: number;
  /** Who is asked instead while it is open. */
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
  /** When the cooldown ends, epoch milliseconds; null unless open, and while held. */
  cooldownUntil: number | null;
  /** Tripped by hand to stay open until it is reset by hand. */
  isHeld: boolean;
  halfOpenSuccesses: number;
  /** Times it has opened by failures since it was last closed. */
  consecutiveTrips: number;
  /** Failures still inside the window and not made up for, oldest first. */
  failures: readonly CountedFailure[];
  /** How the calls within the window ended, kept while a failure rate is of interest. */
  calls: readonly CallCount[];
  /** Probes let through and not yet answered. */
  probes: number;
}

export interface CountedFailure {
  /** Epoch milliseconds. */
  at: number;
  weight: number;
}

/** Calls that ended in one slice of the window, so that a busy breaker is as small as an idle one. */
export interface CallCount {
  /** When the slice begins, epoch milliseconds. */
  at: number;
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
  probes: 0,
};

/** The circuit as it stands at `now`: what is older than the window forgotten, an ended cooldown half open. */
export function atTime(circuit: Circuit, config: BreakerConfig, now: number): Circuit {
  const isInWindow = ({ at }: { at: number }) => at > windowStart(config, now);
  const failures = circuit.failures.filter(isInWindow);
  const calls = circuit.calls.filter(isInWindow);
  const isCooledDown = circuit.state === 'open' && !circuit.isHeld && now >= (circuit.cooldownUntil ?? 0);
  return isCooledDown
    ? { ...circuit, failures, calls, state: 'half_open', cooldownUntil: null, halfOpenSuccesses: 0, probes: 0 }
    : { ...circuit, failures, calls };
}

/** What happened at or before this is forgotten. */
export function windowStart(config: BreakerConfig, now: number): number {
  return now - config.windowSeconds * 1000;
}

/** Whether one more call may be made; while half open it takes a probe. */
export function admits(circuit: Circuit, config: BreakerConfig): boolean {
  if (circuit.state === 'open') return false;
  return circuit.state === 'closed' || circuit.probes < config.halfOpenMaxCalls;
}

export interface FailedCall {
  type?: FailureType;
  /** How long the agent or its server has asked to be left alone: the circuit is open at least as long, if it opens. */
  retryAfterMs?: number | undefined;
}

/** A call has failed. While open it can only be one that began before, so that nothing is counted. */
export function afterFailure(
  circuit: Circuit,
  config: BreakerConfig,
  now: number,
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

/** A call has succeeded: while closed it makes up for the oldest failure, while half open it counts towards closing. */
export function afterSuccess(circuit: Circuit, config: BreakerConfig, now: number): Circuit {
  if (circuit.state === 'open') return circuit;
  if (circuit.state === 'closed') {
    return { ...circuit, failures: circuit.failures.slice(1), calls: withCall(circuit, config, now, 'succeeded') };
  }
  const halfOpenSuccesses = circuit.halfOpenSuccesses + 1;
  return halfOpenSuccesses >= config.successThreshold ? closedCircuit : { ...circuit, halfOpenSuccesses };
}

/** Opens it until a time, or until it is reset by hand. */
export function opened(circuit: Circuit, until: number | 'reset'): Circuit {
  const isHeld = until === 'reset';
  const cooldownUntil = isHeld ? null : until;
  return { ...circuit, state: 'open', cooldownUntil, isHeld, halfOpenSuccesses: 0, calls: [], probes: 0 };
}

/** Tripped by hand: whatever already keeps it open longer goes on doing so. */
export function trippedByHand(circuit: Circuit, config: BreakerConfig, now: number, mustHold: boolean): Circuit {
  if (mustHold || circuit.isHeld) return opened(circuit, 'reset');
  return opened(circuit, Math.max(now + config.cooldownSeconds * 1000, circuit.cooldownUntil ?? 0));
}

/** Milliseconds until it is worth asking again; nothing when only a reset by hand will help. */
export function retryAfterMs(circuit: Circuit, now: number): number | undefined {
  if (circuit.isHeld) return undefined;
  if (circuit.state === 'open') return Math.max(0, (circuit.cooldownUntil ?? now) - now);
  // Half open and all probes out: one of them will answer soon.
  return probeWaitMs;
}

export function weightOf(config: BreakerConfig, type: FailureType): number {
  return config.failureWeights[type] ?? 1;
}

/** A call of a model or an agent takes some seconds. */
const probeWaitMs = 5_000;

function openUntil(circuit: Circuit, until: number): Circuit {
  return circuit.isHeld || until <= (circuit.cooldownUntil ?? 0) ? circuit : { ...circuit, cooldownUntil: until };
}

function hasFailedTooOften({ failures, calls }: Circuit, config: BreakerConfig): boolean {
  const weight = failures.reduce((sum, failure) => sum + failure.weight, 0);
  // Ten times 0.1 is a little less than 1 in binary.
  if (weight + 1e-9 >= config.failureThreshold) return true;
  if (config.failureRateThreshold === null) return false;
  const failed = calls.reduce((sum, slice) => sum + slice.failed, 0);
  const all = calls.reduce((sum, slice) => sum + slice.succeeded, failed);
  return all >= config.minimumCalls && failed / all >= config.failureRateThreshold;
}

/** Slices of the window: a call is forgotten at most this part of it too early. */
const slices = 60;

function withCall(
  { state, calls }: Circuit,
  { failureRateThreshold, windowSeconds }: BreakerConfig,
  now: number,
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
