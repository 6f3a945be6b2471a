import type { Clock } from '../../src/base/clock.js';

export interface MovingClock extends Clock {
  /** Lets time pass, on both clocks. */
  pass(ms: number): void;
  /** Sets the wall clock forward or back, as an administrator or NTP does; the monotonic clock goes on unmoved. */
  stepWallClock(ms: number): void;
  /** The machine restarts: another boot, counted from zero. */
  reboot(): void;
}

/** A clock that moves only when it is told to. */
export function movingClock(start = Date.UTC(2026, 10, 20, 12)): MovingClock {
  let now = start;
  let tick = 1_000_000;
  let boot = 1;
  return {
    now: () => now,
    tick: () => tick,
    get bootId() {
      return `boot-${boot}`;
    },
    pass(ms) {
      now += ms;
      tick += ms;
    },
    stepWallClock(ms) {
      now += ms;
    },
    reboot() {
      boot++;
      tick = 0;
    },
  };
}
