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
