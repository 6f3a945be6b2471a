import { expect, it } from 'vitest';
import { fromIdRanges, toIdRanges } from '../../src/base/id-ranges.js';

it.each([
  [[], ''],
  [[7], '7'],
  [[4, 5, 6, 9], '4-6,9'],
  [[9, 4, 5], '9,4-5'],
])('ids %j are the ranges %j, and back', (ids, ranges) => {
  expect(toIdRanges(ids)).toBe(ranges);
  expect(fromIdRanges(ranges)).toEqual(ids);
});
