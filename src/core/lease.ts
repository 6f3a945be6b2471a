import type { Clock, EpochMs } from '../base/clock.js';
import type { Value } from '../store/sql.js';

/**
 * The time limit of a claim, on two clocks. Within one boot the monotonic clock decides, so that a stepped wall clock
 * neither frees nor freezes a claim. After a reboot only the wall clock can be compared.
 */
export interface Lease {
  expiresAt: EpochMs;
  /** Milliseconds since the boot. */
  expiresTick: number;
  bootId: string;
}

/** The lease that a session's heartbeat renews: six heartbeats may be missed. */
export const sessionLeaseMs = 60_000;

/** The lease of a caller without a session, unless it asks for another. */
export const looseLeaseMs = 15 * 60_000;

export function leaseFor(clock: Clock, ms: number): Lease {
  return { expiresAt: clock.now() + ms, expiresTick: clock.tick() + ms, bootId: clock.bootId };
}

export const leaseValues = (lease: Lease): [number, number, string] => [
  lease.expiresAt,
  lease.expiresTick,
  lease.bootId,
];

/** SQL: whether the lease of a row has expired; takes `clockValues`. */
export const leaseHasLapsed =
  '(case when lease_boot_id = ? then lease_expires_tick <= ? else lease_expires_at <= ? end)';

export const clockValues = (clock: Clock): Value[] => [clock.bootId, clock.tick(), clock.now()];

/** SQL: whether a row's lease ends before another; takes `lengthValues` of that. A renewal never shortens a lease. */
export const leaseIsShorter = '(lease_boot_id is null or lease_boot_id <> ? or lease_expires_tick < ?)';

export const lengthValues = (lease: Lease): Value[] => [lease.bootId, lease.expiresTick];

/** Whether the lease of a row has expired. */
export function hasLapsed(
  row: { lease_boot_id: string | null; lease_expires_tick: number | null; lease_expires_at: EpochMs | null },
  clock: Clock,
): boolean {
  return row.lease_boot_id === clock.bootId
    ? (row.lease_expires_tick ?? 0) <= clock.tick()
    : (row.lease_expires_at ?? 0) <= clock.now();
}
