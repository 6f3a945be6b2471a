import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  estimateTokens,
  readBudget,
  release,
  remaining,
  reservationOf,
  reserve,
  setBudget,
  settle,
  spend,
} from '../../../src/core/budget/ledger.js';
import { testRuntime } from '../../support/test-runtime.js';

const at = 1;

describe('a budget', () => {
  it('reserves tokens before a call and counts what it used after it', async () => {
    const { db } = await testRuntime();
    await setBudget(db, 'goal:1', 100, at);
    await db.transaction((sql) =>
      reserve(sql, { accounts: ['goal:1'], holder: 'job:a:1', tokens: 60, minimum: 10 }, at),
    );
    expect(await readBudget(db, 'goal:1')).toEqual({ account: 'goal:1', cap: 100, spent: 0, reserved: 60 });
    await settle(db, 'job:a:1', 25, at);
    expect(await readBudget(db, 'goal:1')).toEqual({ account: 'goal:1', cap: 100, spent: 25, reserved: 0 });
  });

  it('refuses what does not fit, with the figures, and reserves nothing in any account then', async () => {
    const { db } = await testRuntime();
    await setBudget(db, 'job:a', 1_000, at);
    await setBudget(db, 'goal:1', 100, at);
    await spend(db, 'goal:1', 50, at);
    const reservation = { accounts: ['job:a', 'goal:1'], holder: 'job:a:1', tokens: 60, minimum: 1 };
    await expect(db.transaction((sql) => reserve(sql, reservation, at))).rejects.toThrow(
      expect.objectContaining({
        code: 'budget_exhausted',
        message: expect.stringMatching(/goal:1 does not allow 60 more tokens: 50 spent and 0 reserved of 100/),
      }),
    );
    expect(await reservationOf(db, 'job:a:1')).toBeUndefined();
  });

  it('without a cap counts and never refuses', async () => {
    const { db } = await testRuntime();
    await db.transaction((sql) =>
      reserve(sql, { accounts: ['goal:7'], holder: 'x', tokens: 1_000_000, minimum: 1 }, at),
    );
    await settle(db, 'x', 900_000, at);
    const budget = await readBudget(db, 'goal:7');
    expect(budget).toMatchObject({ cap: null, spent: 900_000 });
    expect(remaining(budget)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is not charged for a call that was never made, and settled once', async () => {
    const { db } = await testRuntime();
    await setBudget(db, 'a', 100, at);
    await db.transaction((sql) => reserve(sql, { accounts: ['a'], holder: 'x', tokens: 60, minimum: 10 }, at));
    await release(db, 'x');
    await settle(db, 'x', 60, at);
    expect(await readBudget(db, 'a')).toMatchObject({ spent: 0, reserved: 0 });
  });

  it('takes a second reservation of the same call in place of the first', async () => {
    const { db } = await testRuntime();
    await setBudget(db, 'a', 100, at);
    for (const tokens of [90, 80])
      await db.transaction((sql) => reserve(sql, { accounts: ['a'], holder: 'x', tokens, minimum: 1 }, at));
    expect((await readBudget(db, 'a')).reserved).toBe(80);
  });

  it('can be raised while it is in use', async () => {
    const { db } = await testRuntime();
    await setBudget(db, 'a', 10, at);
    await spend(db, 'a', 10, at);
    await setBudget(db, 'a', 30, at);
    expect(remaining(await readBudget(db, 'a'))).toBe(20);
  });

  it('is never reserved beyond its cap, whatever is reserved, settled and released in whatever order', async () => {
    const { db } = await testRuntime();
    const step = fc.record({
      holder: fc.constantFrom('a', 'b', 'c', 'd'),
      what: fc.constantFrom('reserve', 'settle', 'release'),
      tokens: fc.nat({ max: 70 }),
    });
    let account = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const name = `account:${++account}`;
        await setBudget(db, name, 100, at);
        const byCall = new Map<string, number>();
        let spent = 0;
        for (const { holder, what, tokens } of steps) {
          const call = `${name}/${holder}`;
          const before = byCall.get(call) ?? 0;
          if (what === 'reserve') {
            const others = [...byCall.values()].reduce((sum, each) => sum + each, 0) - before;
            const fits = spent + others + tokens <= 100;
            const reservation = { accounts: [name], holder: call, tokens, minimum: 0 };
            const outcome = await db
              .transaction((sql) => reserve(sql, reservation, at))
              .then(
                () => true,
                () => false,
              );
            expect(outcome).toBe(fits);
            if (outcome) byCall.set(call, tokens);
          } else if (what === 'settle') {
            // A call uses no more than it reserved.
            const used = Math.min(tokens, before);
            await settle(db, call, used, at);
            spent += used;
            byCall.delete(call);
          } else {
            await release(db, call);
            byCall.delete(call);
          }
          const reserved = [...byCall.values()].reduce((sum, each) => sum + each, 0);
          expect(await readBudget(db, name)).toMatchObject({ spent, reserved });
          expect(spent + reserved).toBeLessThanOrEqual(100);
        }
      }),
      { numRuns: 30 },
    );
  });
});

it('an estimate does not fall short for English, code or Chinese', () => {
  expect(estimateTokens('The quick brown fox jumps over the lazy dog.')).toBeGreaterThanOrEqual(10);
  expect(estimateTokens('for(let i=0;i<n;i++){a[i]=b[i]*2;}')).toBeGreaterThanOrEqual(10);
  expect(estimateTokens('今天天气很好')).toBeGreaterThanOrEqual(6);
});
