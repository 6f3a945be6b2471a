import { expect, it } from 'vitest';
import { planFaults } from './faults.js';
import { randomOf } from './random.js';

const pace = { minutes: 10, perSecond: 3 };

it('what befalls the processes follows from the seed alone', () => {
  expect(planFaults(7, pace)).toEqual(planFaults(7, pace));
  expect(planFaults(8, pace)).not.toEqual(planFaults(7, pace));
  const longer = planFaults(7, { ...pace, minutes: 20 });
  expect(longer.slice(0, planFaults(7, pace).length)).toEqual(planFaults(7, pace));
});

it('a plan has about as many faults as were asked for, of every kind, in order', () => {
  const faults = planFaults(1, pace);
  expect(faults.length).toBeGreaterThan(1_600);
  expect(faults.length).toBeLessThan(2_000);
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['kill', 'stop', 'step']));
  expect(new Set(faults.map(({ target }) => target)).size).toBe(8);
  expect(faults.map(({ at }) => at)).toEqual(faults.map(({ at }) => at).sort((a, b) => a - b));
});

it('what a user chooses depends on the seed, the user and the number of the action, and on nothing that came before', () => {
  const first = randomOf(1, 2, 3, 4).next();
  expect(randomOf(1, 2, 3, 4).next()).toBe(first);
  for (const other of [randomOf(2, 2, 3, 4), randomOf(1, 2, 4, 3), randomOf(1, 2, 3, 5)]) {
    expect(other.next()).not.toBe(first);
  }
});
