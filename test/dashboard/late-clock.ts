import { type Clock, systemClock } from '../../src/base/clock.js';

export interface LateClock extends Clock {
  /** Lets time pass, at the most until now. */
  pass(ms: number): void;
}

/** A clock that runs as the system's does, but so far behind it: what is recorded by it lies in the past. */
export function lateClock(behindMs: number): LateClock {
  const system = systemClock();
  let behind = behindMs;
  return {
    now: () => system.now() - behind,
    tick: () => system.tick() - behind,
    bootId: system.bootId,
    pass(ms) {
      behind = Math.max(0, behind - ms);
    },
  };
}
