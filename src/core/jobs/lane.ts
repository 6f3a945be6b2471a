/**
 * How a job is carried. A `call` waits for a network most of its time, so that one runner carries many of them. Anything
 * else computes, or is code of others: its `process` is its own.
 */
export const lanes = ['call', 'process'] as const;
export type Lane = (typeof lanes)[number];

/**
 * Begins the requirement of a job that a module of the user's serves. Such a job may be of any type, as only the module's
 * own code knows its types: every runner that has the module can run it.
 */
export const modulePrefix = 'module:';

/** The built-in types whose work is calls of models, and the one that does nothing. */
const typesOfCalls = new Set(['llm', 'decompose', 'verify', 'relay_step', 'generic']);

/** The providers whose every call is a program of its own, such as a CLI: they count as processes. */
export const programProviders: ReadonlySet<string> = new Set(['claude-code']);

export function laneOf(type: string, requires: string | null = null): Lane {
  const isCall = typesOfCalls.has(type) && !requires?.startsWith(modulePrefix) && !programProviders.has(requires ?? '');
  return isCall ? 'call' : 'process';
}

/** What one lane may have at work, over all processes. */
export interface LaneLimit {
  /** Jobs at once. */
  atOnce: number;
  /** Jobs that one runner carries. */
  perRunner: number;
}
