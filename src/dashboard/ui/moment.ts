/** Where the browser keeps in which time zone times are shown: `UTC`, or nothing for its own. */
export const timeZoneKey = 'time-zone';

/** The one place that says in which zone times are shown. */
const zone = (): { timeZone?: string } => (localStorage.getItem(timeZoneKey) === 'UTC' ? { timeZone: 'UTC' } : {});

const shown = (at: number | string, options: Intl.DateTimeFormatOptions): string =>
  new Date(at).toLocaleString('en-GB', { hourCycle: 'h23', ...zone(), ...options });

/** 14:03 */
export const clockTime = (at: number | string): string => shown(at, { hour: '2-digit', minute: '2-digit' });

/** 14:03:22 */
export const exactClockTime = (at: number | string): string =>
  shown(at, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** 22 Nov */
export const dayOf = (at: number | string): string => shown(at, { day: 'numeric', month: 'short' });

/** 22 Nov, 14:03 */
export const moment = (at: number | string): string =>
  shown(at, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** 22 Nov 2026, 14:03:22 UTC */
export const wholeMoment = (at: number | string): string =>
  shown(at, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });

/** How far the zone is ahead of UTC at a time, in milliseconds. */
export const zoneOffset = (at: number): number =>
  zone().timeZone === 'UTC' ? 0 : -new Date(at).getTimezoneOffset() * 60_000;

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  1_000,
  5_000,
  15_000,
  30_000,
  minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  28 * day,
];

/** Round times between two, at most `most` of them, with the words for each. */
export function timeTicks(from: number, to: number, most: number): { at: number; words: string }[] {
  const step = steps.find((one) => (to - from) / one <= Math.max(1, most)) ?? Math.ceil((to - from) / day / most) * day;
  const offset = zoneOffset(from);
  const found: { at: number; words: string }[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) {
    const isMidnight = (at + offset) % day === 0;
    found.push({
      at,
      words: step >= day || isMidnight ? dayOf(at) : step < minute ? exactClockTime(at) : clockTime(at),
    });
  }
  return found;
}
