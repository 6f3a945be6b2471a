import { clockTime, dayOf, moment } from '../../ui/moment.js';
import { showRange } from '../../ui/range.js';
import type { Intervals } from './intervals.js';

const day = 86_400_000;

export type ChartTime = ReturnType<typeof timeOf>;

/** What all charts of a range have in common; dragging over one looks at that part of it. */
export function timeOf({ from, to, length }: Intervals) {
  return {
    axis: 'Until',
    showX: length >= day ? dayOf : to - from > day ? moment : clockTime,
    fromZero: true,
    span: [from, to] as const,
    interval: length,
    onSelect: (start: number, end: number) => showRange({ from: start, to: end }),
  };
}
