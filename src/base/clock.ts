import { readFileSync } from 'node:fs';

/** Wall time in milliseconds since 1970, UTC. */
export type EpochMs = number;

/**
 * Two clocks. `now` is wall time, for display and schedules. `tick` is monotonic milliseconds since boot, the same
 * for all processes of one boot, and is what leases are compared by: a stepped wall clock must not expire them.
 */
export interface Clock {
  now(): EpochMs;
  /** Milliseconds since the boot named by `bootId`; not moved by changes of the wall clock. */
  tick(): number;
  /** Identifies the boot that `tick` counts from. */
  readonly bootId: string;
}

/** @param hostId a host that has a name of its own shares its boot with none that has another */
export function systemClock(hostId?: string): Clock {
  return {
    now: Date.now,
    tick: () => Number(process.hrtime.bigint() / 1_000_000n),
    bootId: hostId === undefined ? readBootId() : `${readBootId()} of ${hostId}`,
  };
}

/** When the boot was, by the wall clock of now. It moves when the wall clock is set, and while the machine sleeps. */
export function bootAt(clock: Pick<Clock, 'now' | 'tick'>): EpochMs {
  for (;;) {
    const tick = clock.tick();
    const now = clock.now();
    // A process that was stopped between its two readings takes them again.
    if (clock.tick() - tick <= longestReadingMs) return now - tick;
  }
}

const longestReadingMs = 100;

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Other systems have no boot id. All processes compute the same second of the boot, give or take one, and rounding to
    // a minute makes it stable. Where it still differs, leases fall back to the wall clock.
    return `boot-${Math.round((Date.now() - Number(process.hrtime.bigint() / 1_000_000n)) / 60_000)}`;
  }
}
