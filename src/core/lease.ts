import type { Clock } from '../base/clock.js';
import type { Value } from '../store/sql.js';

/**
 * A claim's time limit, on both clocks: within one boot the monotonic one decides, so that a stepped wall clock
 * neither frees nor freezes a claim; after a reboot only the wall clock is left to compare.
 */
export interface Lease {
  expiresAt: number;
  expiresTick: number;
  bootId: string;
}

/** What a session's heartbeat grants: six missed beats. */
export const sessionLeaseMs = 60_000;

/** What a caller without a session gets, unless it asks for something else. */
export const looseLeaseMs = 15 * 60_000;

export function leaseFor(clock: Clock, ms: number): Lease {
  return { expiresAt: clock.now() + ms, expiresTick: clock.tick() + ms, bootId: clock.bootId };
}

export const leaseValues = (lease: Lease): [number, number, string] => [
  lease.expiresAt,
  lease.expiresTick,
  lease.bootId,
];

/** True of a row whose lease is over; takes `clockValues`. */
export const leaseHasLapsed =
  '(case when lease_boot_id = ? then lease_expires_tick <= ? else lease_expires_at <= ? end)';

export const clockValues = (clock: Clock): Value[] => [clock.bootId, clock.tick(), clock.now()];

/** True of a row whose lease would be longer if it were this one; a renewal never shortens. */
export const leaseIsShorter = '(lease_boot_id is null or lease_boot_id <> ? or lease_expires_tick < ?)';

export const lengthValues = (lease: Lease): Value[] => [lease.bootId, lease.expiresTick];

/** Whether the lease of a row already read is over. */
export function hasLapsed(
  row: { lease_boot_id: string | null; lease_expires_tick: number | null; lease_expires_at: number | null },
  clock: Clock,
): boolean {
  return row.lease_boot_id === clock.bootId
    ? (row.lease_expires_tick ?? 0) <= clock.tick()
    : (row.lease_expires_at ?? 0) <= clock.now();
}
