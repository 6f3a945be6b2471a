/** Ids as ranges, in the order given: `[4, 5, 6, 9]` is `4-6,9`. */
export function toIdRanges(ids: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const id of ids) {
    const open = ranges.at(-1);
    if (open && open[1] + 1 === id) open[1] = id;
    else ranges.push([id, id]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** The ids of `toIdRanges`. */
export function fromIdRanges(ranges: string): number[] {
  if (ranges === '') return [];
  return ranges.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
