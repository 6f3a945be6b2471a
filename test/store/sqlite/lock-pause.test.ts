import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestPause } from '../../../src/store/sqlite/lock-pause.js';

const deadline = 10_000;
const age = (from: number) => fc.double({ min: from, max: deadline, noNaN: true });

test('whoever has waited longer for a lock that many want pauses no longer than those who came later', () => {
  fc.assert(
    fc.property(age(200), age(200), (one, other) => {
      const [younger, older] = [Math.min(one, other), Math.max(one, other)];
      expect(longestPause(older, deadline)).toBeLessThanOrEqual(longestPause(younger, deadline));
    }),
  );
  expect(longestPause(deadline - 1, deadline)).toBe(1);
  expect(longestPause(300, deadline)).toBeGreaterThan(20 * longestPause(8_000, deadline));
});

test('a first short wait is answered at once', () => {
  expect(longestPause(0, deadline)).toBeLessThan(10);
});
