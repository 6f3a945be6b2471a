import { expect, it } from 'vitest';
import { takeMaintenanceLease } from '../../src/core/maintenance-lease.js';
import { testRuntime } from '../support/test-runtime.js';

const hour = 3_600_000;

it('a maintenance lease is taken by one of many in each period', async () => {
  const first = await testRuntime();
  const second = await testRuntime({ home: first.home });
  const ask = (now: number) =>
    Promise.all([first, second, first, second].map(({ db }) => takeMaintenanceLease(db, 'sweep the floor', hour, now)));
  const taken = async (now: number) => (await ask(now)).filter(Boolean).length;
  expect(await taken(10 * hour)).toBe(1);
  expect(await taken(11 * hour - 1)).toBe(0);
  expect(await taken(11 * hour)).toBe(1);
  expect(await takeMaintenanceLease(first.db, 'another', hour, 11 * hour)).toBe(true);
});

it('a duty that was done while the clock was a year ahead is due again once the clock is set right', async () => {
  const { db } = await testRuntime();
  const year = 365 * 24 * hour;
  expect(await takeMaintenanceLease(db, 'backup', hour, year + 10 * hour)).toBe(true);
  expect(await takeMaintenanceLease(db, 'backup', hour, 10 * hour)).toBe(true);
  expect(await takeMaintenanceLease(db, 'backup', hour, 10 * hour)).toBe(false);
});

it('one who asked first and waited for the lock does not take it a second time', async () => {
  const { db } = await testRuntime();
  const asked = 10 * hour;
  expect(await takeMaintenanceLease(db, 'start', hour, asked + 1)).toBe(true);
  expect(await takeMaintenanceLease(db, 'start', hour, asked)).toBe(false);
});
