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

export interface BreakerConfig {
  /** Failures within the window that open it. */
  failureThreshold: number;
  windowSeconds: number;
  /** How long it stays open. */
  cooldownSeconds: number;
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
  cooldownSeconds: 300,
  halfOpenMaxCalls: 3,
  successThreshold: 2,
  fallbackAgent: 'generalist',
};

export interface Circuit {
  state: BreakerState;
  /** When the cooldown ends, epoch milliseconds; null unless open. */
  cooldownUntil: number | null;
  /** Tripped by hand: stays open until it is reset by hand. */
  isHeld: boolean;
  halfOpenSuccesses: number;
  /** Failures still inside the window, oldest first, epoch milliseconds. */
  failures: readonly number[];
  /** Probes let through and not yet answered. */
  probes: number;
}

export const closedCircuit: Circuit = {
  state: 'closed',
  cooldownUntil: null,
  isHeld: false,
  halfOpenSuccesses: 0,
  failures: [],
  probes: 0,
};

/** The circuit as it stands at `now`: old failures forgotten, an ended cooldown half open. */
export function atTime(circuit: Circuit, config: BreakerConfig, now: number): Circuit {
  const windowStart = now - config.windowSeconds * 1000;
  const failures = circuit.failures.filter((at) => at > windowStart);
  const isCooledDown = circuit.state === 'open' && !circuit.isHeld && now >= (circuit.cooldownUntil ?? 0);
  return isCooledDown
    ? { ...circuit, failures, state: 'half_open', cooldownUntil: null, halfOpenSuccesses: 0, probes: 0 }
    : { ...circuit, failures };
}

/** Whether one more call may be made; while half open it takes a probe. */
export function admits(circuit: Circuit, config: BreakerConfig): boolean {
  if (circuit.state === 'open') return false;
  return circuit.state === 'closed' || circuit.probes < config.halfOpenMaxCalls;
}

/** A call has failed. A rate limit keeps the circuit open at least as long as the server asked for. */
export function afterFailure(circuit: Circuit, config: BreakerConfig, now: number, retryAfterMs = 0): Circuit {
  if (circuit.state === 'open') return circuit;
  const failures = [...circuit.failures, now];
  const trips = circuit.state === 'half_open' || failures.length >= config.failureThreshold;
  if (!trips) return { ...circuit, failures };
  return opened({ ...circuit, failures }, now + Math.max(config.cooldownSeconds * 1000, retryAfterMs));
}

/** A call has succeeded: while closed it makes up for the oldest failure, while half open it counts towards closing. */
export function afterSuccess(circuit: Circuit, config: BreakerConfig): Circuit {
  if (circuit.state === 'closed') return { ...circuit, failures: circuit.failures.slice(1) };
  if (circuit.state === 'open') return circuit;
  const halfOpenSuccesses = circuit.halfOpenSuccesses + 1;
  return halfOpenSuccesses >= config.successThreshold ? closedCircuit : { ...circuit, halfOpenSuccesses };
}

/** Opens it, by failures or by hand. */
export function opened(circuit: Circuit, cooldownUntil: number, isHeld = false): Circuit {
  return { ...circuit, state: 'open', cooldownUntil, isHeld, halfOpenSuccesses: 0, probes: 0 };
}

/** Milliseconds until it is worth asking again; nothing when only a reset by hand will help. */
export function retryAfterMs(circuit: Circuit, now: number): number | undefined {
  if (circuit.isHeld) return undefined;
  if (circuit.state === 'open') return Math.max(0, (circuit.cooldownUntil ?? now) - now);
  // Half open and all probes out: one of them will answer soon.
  return probeWaitMs;
}

/** A call of a model or an agent takes some seconds. */
const probeWaitMs = 5_000;
