import { filter } from '../location.js';

/** A range of time in milliseconds since the epoch. */
export interface Range {
  from: number;
  to: number;
}

/** The range that the address names by `from` and `to`; undefined when it names none, or none that is one. */
export function rangeIn(query: URLSearchParams): Range | undefined {
  const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')];
  return from < to ? { from, to } : undefined;
}

/** Keeps a range in the address; undefined removes it. */
export function showRange(range: Range | undefined): void {
  const text = (at: number) => new Date(Math.round(at)).toISOString();
  filter({ from: range ? text(range.from) : '', to: range ? text(range.to) : '' });
}
