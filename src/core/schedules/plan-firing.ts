import type { EpochMs } from '../../base/clock.js';
import type { Schedule } from './schedule.js';
import type { Timetable } from './timetable.js';

/** What a schedule that is due does now. */
export interface FiringPlan {
  /** The time that it fires for. */
  dueAt: EpochMs;
  /** False where it is too late, and the schedule skips what was missed. */
  isInTime: boolean;
  /** When it is due next; null when never again. In the past while missed times are still made up for. */
  nextAt: EpochMs | null;
}

/** Of the times that were missed, `all` makes up for this many, the last ones. */
export const mostMissed = 10;

/** A time counts as missed when it is fired this much later: longer than between two looks of a session. */
const graceMs = 60_000;

/**
 * What comes of a schedule whose time has come. However far the clock has gone on, `skip` and `once` fire once at most.
 *
 * @param timetable absent for one that fires once
 */
export function planFiring(
  { nextAt, missed }: Pick<Schedule, 'nextAt' | 'missed'>,
  timetable: Timetable | undefined,
  now: EpochMs,
): FiringPlan {
  const since = nextAt ?? now;
  const missedTimes = timetable?.between(since, now, mostMissed) ?? [];
  const times = missedTimes.length === 0 ? [since] : missedTimes;
  const [first = since, second] = times;
  const last = times.at(-1) ?? since;
  const afterAll = timetable?.after(Math.max(now, last)) ?? null;
  if (missed === 'all') return { dueAt: first, isInTime: true, nextAt: second ?? afterAll };
  return { dueAt: last, isInTime: missed === 'once' || now - last <= graceMs, nextAt: afterAll };
}
