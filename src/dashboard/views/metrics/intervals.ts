import { zoneOffset } from '../../ui/moment.js';
import type { Range } from '../../ui/range.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How long an interval may be, and what its title says of a count within it. */
const lengths: readonly [ms: number, words: string][] = [
  [minute, 'a minute'],
  [5 * minute, 'in 5 minutes'],
  [15 * minute, 'in 15 minutes'],
  [hour, 'an hour'],
  [3 * hour, 'in 3 hours'],
  [day, 'a day'],
  [7 * day, 'a week'],
  [28 * day, 'in 4 weeks'],
];
const most = 31;

export interface Intervals extends Range {
  length: number;
  count: number;
  words: string;
}

/** A range in equal intervals that begin at round times of the clock on the wall. */
export function intervalsOf({ from, to }: Range): Intervals {
  const [length, words] = lengths.find(([ms]) => (to - from) / ms <= most) ?? [
    Math.ceil((to - from) / most / day) * day,
    'each',
  ];
  const offset = zoneOffset(to);
  const start = Math.floor((from + offset) / length) * length - offset;
  const count = Math.max(1, Math.ceil((to - start) / length));
  return { from: start, to: start + count * length, length, count, words };
}

const units: readonly [ms: number, words: string][] = [
  [minute, 'a minute'],
  [hour, 'an hour'],
  [day, 'a day'],
];

/** A count in a time as a rate of at least one where there is one: 40 in a day is 1.7 an hour. */
export function rateOf(count: number, ms: number): { value: number; words: string } {
  const [unit, words] = units.find(([length]) => (count / ms) * length >= 1) ?? [day, 'a day'];
  return { value: (count / ms) * unit, words };
}
