import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  costAsReserved,
  readMoney,
  release,
  reserve,
  setMoneyBudget,
  settle,
  spend,
} from '../../../src/core/budget/ledger.js';
import { testRuntime } from '../../support/test-runtime.js';

const at = 1;
const call = (micros: number | undefined, accounts = ['goal:1'], holder = 'job:a:1') => ({
  ...{ accounts, holder, tokens: 100, minimum: 10 },
  ...(micros === undefined ? {} : { money: { micros, minimum: 1 } }),
});

describe('a budget of money', () => {
  it('reserves before a call and counts what it cost after it', async () => {
    const { db } = await testRuntime();
    await setMoneyBudget(db, 'goal:1', 1_000, at);
    await db.transaction((sql) => reserve(sql, call(600), at));
    expect(await readMoney(db, 'goal:1')).toMatchObject({ cap: 1_000, spent: 0, reserved: 600, unpriced: 0 });
    await settle(db, 'job:a:1', 25, at, { micros: 250, unpriced: 0 });
    expect(await readMoney(db, 'goal:1')).toMatchObject({ spent: 250, reserved: 0 });
  });

  it('refuses what does not fit, with the figures and how to raise it, and reserves nothing anywhere', async () => {
    const { db } = await testRuntime();
    await setMoneyBudget(db, 'goal:1', 1_000_000, at);
    await setMoneyBudget(db, 'job:a', 100, at);
    await expect(db.transaction((sql) => reserve(sql, call(600, ['goal:1', 'job:a']), at))).rejects.toThrow(
      expect.objectContaining({
        code: 'budget_exhausted',
        message: 'The budget of job:a does not allow $0.0006 more: $0.00 spent and $0.00 reserved of $0.0001.',
        hint: expect.stringContaining('retry_task with task_id a and a higher budget_usd'),
      }),
    );
    expect(await readMoney(db, 'goal:1')).toMatchObject({ reserved: 0 });
  });

  it('refuses a call of unknown price, which may cost anything; without a budget it is counted as unpriced', async () => {
    const { db } = await testRuntime();
    await setMoneyBudget(db, 'goal:1', 1_000_000, at);
    await expect(db.transaction((sql) => reserve(sql, call(undefined), at))).rejects.toThrow(
      expect.objectContaining({ code: 'not_configured', hint: expect.stringContaining('"prices"') }),
    );
    await db.transaction((sql) => reserve(sql, call(undefined, ['goal:2']), at));
    await settle(db, 'job:a:1', 50, at, { micros: 0, unpriced: 1 });
    await spend(db, 'goal:2', 10, at);
    expect(await readMoney(db, 'goal:2')).toMatchObject({ spent: 0, unpriced: 2 });
  });

  it('a lost call costs what its tokens do at the rates that it was reserved with', () => {
    const reservation = { tokens: 110, minimum: 10, money: { micros: 1_020, minimum: 20 } };
    expect(costAsReserved(reservation, { inputTokens: 10, outputTokens: 5 })).toEqual({ micros: 70, unpriced: 0 });
    expect(costAsReserved({ tokens: 110, minimum: 10 }, { inputTokens: 10, outputTokens: 5 })).toEqual({
      micros: 0,
      unpriced: 1,
    });
    expect(costAsReserved(reservation, { inputTokens: 0, outputTokens: 0 })).toEqual({ micros: 0, unpriced: 0 });
  });

  it('is never reserved beyond its cap, whatever is reserved, settled and released in whatever order', async () => {
    const { db } = await testRuntime();
    const step = fc.record({
      holder: fc.constantFrom('a', 'b', 'c', 'd'),
      what: fc.constantFrom('reserve', 'settle', 'release'),
      micros: fc.nat({ max: 70 }),
    });
    let account = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const name = `account:${++account}`;
        await setMoneyBudget(db, name, 100, at);
        const byCall = new Map<string, number>();
        let spent = 0;
        for (const { holder, what, micros } of steps) {
          const key = `${name}/${holder}`;
          const before = byCall.get(key) ?? 0;
          if (what === 'reserve') {
            const others = [...byCall.values()].reduce((sum, each) => sum + each, 0) - before;
            const outcome = await db
              .transaction((sql) => reserve(sql, { ...call(micros, [name], key), money: { micros, minimum: 0 } }, at))
              .then(
                () => true,
                () => false,
              );
            expect(outcome).toBe(spent + others + micros <= 100);
            if (outcome) byCall.set(key, micros);
          } else if (what === 'settle') {
            const used = Math.min(micros, before);
            await settle(db, key, 0, at, { micros: used, unpriced: 0 });
            spent += used;
            byCall.delete(key);
          } else {
            await release(db, key);
            byCall.delete(key);
          }
          const reserved = [...byCall.values()].reduce((sum, each) => sum + each, 0);
          expect(await readMoney(db, name)).toMatchObject({ spent, reserved });
          expect(spent + reserved).toBeLessThanOrEqual(100);
        }
      }),
      { numRuns: 30 },
    );
  });
});
