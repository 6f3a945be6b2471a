import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRateGates, recordReport, settleCall, takeCall } from '../../../src/core/rates/rates.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

async function provider(limit?: { requestsPerMinute?: number; tokensPerMinute?: number }) {
  const clock = movingClock();
  const { db } = await testRuntime({ clock });
  const call = { provider: 'anthropic', promptTokens: 100, answerTokens: 100 };
  return {
    db,
    clock,
    take: (more: Partial<typeof call> = {}) =>
      db.transaction((sql) => takeCall(sql, { ...call, ...more }, limit, clock)),
    report: (...[ticket, report]: [Parameters<typeof recordReport>[2], Parameters<typeof recordReport>[3]]) =>
      db.transaction((sql) => recordReport(sql, 'anthropic', ticket, report, clock)),
    gate: async () => (await readRateGates(db, clock)).get('anthropic'),
  };
}

type Taken = Awaited<ReturnType<typeof takeCall>>;
const ticketOf = (taken: Taken) => (taken && 'ticket' in taken ? taken.ticket : undefined);
const waitOf = (taken: Taken) => (taken && 'wait' in taken ? taken.wait : undefined);

describe('a limit of the config file', () => {
  it('is never passed in any 60 seconds, whenever calls come, and is used up to one second', async () => {
    const { db, clock, take } = await provider({ requestsPerMinute: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 20 }), async (pauses) => {
        await db.run('delete from rate_uses');
        const begun: number[] = [];
        for (const pause of pauses) {
          clock.pass(pause);
          const taken = await take();
          if (ticketOf(taken)) begun.push(clock.now());
          const until = waitOf(taken)?.until;
          const third = begun.at(-3);
          if (until !== undefined) expect(until - (third ?? 0)).toBeLessThanOrEqual(61_000);
        }
        const windows = begun.map((at) => begun.filter((other) => other >= at && other < at + 60_000).length);
        expect(Math.max(0, ...windows)).toBeLessThanOrEqual(3);
      }),
      { seed: 7, numRuns: 15, examples: [[Array.from({ length: 8 }, () => 0)]] },
    );
  });

  it('lets the next call through at the time that it has said', async () => {
    const { clock, take, gate } = await provider({ requestsPerMinute: 1 });
    await take();
    const wait = waitOf(await take());
    expect(wait?.reason).toBe('The rate limit of anthropic is reached: 1 request a minute.');
    expect(await gate()).toEqual({ calls: 0, wait });
    clock.pass((wait?.until ?? 0) - clock.now() - 1);
    expect(waitOf(await take())).toEqual(wait);
    clock.pass(1);
    expect(ticketOf(await take())).toMatchObject({ number: 2 });
  });

  it('of tokens counts the longest answer until the call has ended, and then what it used', async () => {
    const { db, take } = await provider({ tokensPerMinute: 500 });
    const first = ticketOf(await take({ promptTokens: 50, answerTokens: 350 }));
    expect(waitOf(await take())?.reason).toMatch(/500 tokens a minute/);
    if (first) await db.transaction((sql) => settleCall(sql, first, { inputTokens: 60, outputTokens: 40 }));
    expect(ticketOf(await take())).toBeDefined();
  });

  it('that one call alone passes lets it through when nothing else has been used', async () => {
    const { take } = await provider({ tokensPerMinute: 100 });
    expect(ticketOf(await take())).toBeDefined();
    expect(waitOf(await take())).toBeDefined();
  });

  it('is not stuck after the clock was set back', async () => {
    const { clock, take } = await provider({ requestsPerMinute: 1 });
    await take();
    clock.stepWallClock(-86_400_000);
    expect(ticketOf(await take())).toBeDefined();
  });
});

describe('what a vendor says', () => {
  it('is kept until its reset: so many calls are left, and then none', async () => {
    const { clock, take, report, gate } = await provider();
    expect(await take()).toBeUndefined();
    await report(undefined, { requests: { left: 2, resetMs: 30_000 } });
    expect(await gate()).toEqual({ calls: 2, wait: undefined });
    await take();
    await take();
    expect(waitOf(await take())?.until).toBe(clock.now() + 30_000);
    clock.pass(30_000);
    expect(ticketOf(await take())).toBeDefined();
  });

  it('does not count the calls that it may not have seen yet', async () => {
    const { take, report, gate } = await provider();
    await report(undefined, { requests: { left: 9, resetMs: 30_000 } });
    const first = ticketOf(await take());
    const second = ticketOf(await take());
    await report(first, { requests: { left: 8, resetMs: 30_000 } });
    expect((await gate())?.calls).toBe(7);
    await report(second, { requests: { left: 7, resetMs: 30_000 } });
    expect((await gate())?.calls).toBe(7);
  });

  it('holds calls back after a refusal, and those whose prompt is longer than the tokens that are left', async () => {
    const { clock, take, report } = await provider();
    await report(undefined, { tokens: { left: 150, resetMs: 20_000 } });
    expect(waitOf(await take({ promptTokens: 200 }))?.until).toBe(clock.now() + 20_000);
    expect(ticketOf(await take())).toBeDefined();
    await report(undefined, { retryAfterMs: 5_000 });
    expect(waitOf(await take())?.until).toBe(clock.now() + 5_000);
    await report(undefined, { requests: { left: 100, resetMs: 1_000 } });
    expect(waitOf(await take())).toBeDefined();
    clock.pass(5_000);
    expect(ticketOf(await take())).toBeDefined();
  });

  it('is not believed for more than a day', async () => {
    const { clock, take, report } = await provider();
    await report(undefined, { requests: { left: 0, resetMs: 1e12 } });
    expect(waitOf(await take())?.until).toBe(clock.now() + 86_400_000);
    clock.stepWallClock(-3_600_000);
    expect(ticketOf(await take())).toBeDefined();
  });
});
