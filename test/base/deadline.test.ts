import { expect, it } from 'vitest';
import { DeadlinePassed, withDeadline } from '../../src/base/deadline.js';

it('returns what the work returns, and throws what it throws', () => {
  const answer = { a: 1 };
  expect(withDeadline(1_000, () => answer)).toBe(answer);
  const failure = new RangeError('no');
  expect(() =>
    withDeadline(1_000, () => {
      throw failure;
    }),
  ).toThrow(failure);
});

it.each([
  ['a pattern with nested repetition', () => /^(a+)+$/.test(`${'a'.repeat(40)}!`)],
  ['a pattern with two repetitions that may share', () => /^(?:a|a)*$/.test(`${'a'.repeat(60)}!`)],
  [
    'a loop',
    () => {
      for (;;);
    },
  ],
])('ends %s in its middle', (_, work) => {
  expect(() => withDeadline(100, work as () => unknown)).toThrow(DeadlinePassed);
});
