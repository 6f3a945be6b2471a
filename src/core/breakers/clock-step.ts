import { bootAt, type Clock, type EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';

/**
 * The times of a breaker (its cooldown, its window, its permits) are wall times of one clock, and the breaker names that
 * clock: the boot, and when that boot was by it. A process whose clock has been set since moves them by the difference, so
 * that a step of the clock neither ends a cooldown nor makes it longer. After a reboot, and on another machine, the wall
 * clock counts as it is.
 */
export interface ClockColumns {
  clock_boot_id: string | null;
  clock_boot_at: EpochMs | null;
}

export function clockColumns(clock: Clock) {
  return { clock_boot_id: clock.bootId, clock_boot_at: bootAt(clock) };
}

/** Milliseconds to add to the times of a breaker to have them by this clock. */
export function stepOf({ clock_boot_id, clock_boot_at }: ClockColumns, clock: Clock): number {
  if (clock_boot_id !== clock.bootId || clock_boot_at === null) return 0;
  const step = bootAt(clock) - clock_boot_at;
  return Math.abs(step) < leastStepMs ? 0 : step;
}

/** Two readings of the two clocks differ by less, and so does what NTP slews in an hour. */
const leastStepMs = 500;

/**
 * Locks a breaker, and writes its times as this clock shows them, where it was set since or is another. Whoever writes rows of
 * a breaker holds its lock.
 */
export async function followClock(sql: Sql, id: string, clock: Clock): Promise<void> {
  const row = await sql.get<ClockColumns>(
    'select clock_boot_id, clock_boot_at from breakers where id = ? for update',
    id,
  );
  if (!row) return;
  const step = stepOf(row, clock);
  if (step === 0 && row.clock_boot_id === clock.bootId) return;
  const { clock_boot_id, clock_boot_at } = clockColumns(clock);
  await sql.run(
    'update breakers set cooldown_until = cooldown_until + ?, clock_boot_id = ?, clock_boot_at = ? where id = ?',
    step,
    clock_boot_id,
    clock_boot_at,
    id,
  );
  if (step === 0) return;
  await sql.run('update breaker_failures set at = at + ? where breaker_id = ?', step, id);
  await sql.run('update breaker_permits set expires_at = expires_at + ? where breaker_id = ?', step, id);
  await moveCalls(sql, id, step);
}

/** Row by row, in the order in which none meets the next: the time is a part of the key. */
async function moveCalls(sql: Sql, id: string, step: number): Promise<void> {
  const order = step > 0 ? 'desc' : 'asc';
  const slices = await sql.all<{ at: number }>(
    `select at from breaker_calls where breaker_id = ? order by at ${order}`,
    id,
  );
  for (const { at } of slices) {
    await sql.run('update breaker_calls set at = ? where breaker_id = ? and at = ?', at + step, id, at);
  }
}
