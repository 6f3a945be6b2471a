import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addDays, type Bar, randomWalk, seededRandom } from './random-walk.js';
import { type ReferenceRequest, type ReferenceResult, reference } from './reference.js';
import { type BacktestResult, createWorkspace, type Workspace } from './workspace.js';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await createWorkspace();
});
afterAll(() => workspace.remove());

const bars = 260;
// The fixed seed keeps a red run repeatable.
const settings = { numRuns: 120, seed: 20260101 };

const common = {
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  startDay: fc.oneof(fc.constant(0), fc.integer({ min: -20, max: 340 })),
  days: fc.integer({ min: 0, max: 500 }),
  capital: fc.constantFrom(1, 1000, 100_000),
  commission: fc.constantFrom(0, 0.001, 0.01, 0.1),
};
const band = {
  window: fc.integer({ min: 3, max: 70 }),
  entryZ: fc.constantFrom(0.5, 1, 1.5, 2),
  exitZ: fc.constantFrom(-0.5, 0, 0.3, 1),
};

it('momentum equals the reference at 1e-9', async () => {
  const cases = fc.record({
    ...common,
    lookback: fc.integer({ min: 1, max: 120 }),
    threshold: fc.constantFrom(-0.05, 0, 0.02, 0.1),
    allowShort: fc.boolean(),
  });
  const check = fc.asyncProperty(cases, async ({ lookback, threshold, allowShort, ...rest }) => {
    const params = { lookback, threshold, allow_short: allowShort };
    await compare('momentum', rest, params, { lookback, threshold, allowShort });
  });
  await fc.assert(check, settings);
});

it('mean_reversion equals the reference at 1e-9', async () => {
  const cases = fc.record({ ...common, ...band, allowShort: fc.boolean() });
  const check = fc.asyncProperty(cases, async ({ window, entryZ, exitZ, allowShort, ...rest }) => {
    const params = { window, entry_z: entryZ, exit_z: exitZ, allow_short: allowShort };
    await compare('mean_reversion', rest, params, { window, entryZ, exitZ, allowShort });
  });
  await fc.assert(check, settings);
});

it('arbitrage of two calendars equals the reference at 1e-9', async () => {
  const cases = fc.record({ ...common, ...band, follows: fc.boolean() });
  const check = fc.asyncProperty(cases, async ({ window, entryZ, exitZ, follows, ...rest }) => {
    const params = { window, entry_z: entryZ, exit_z: exitZ };
    await compare('arbitrage', { ...rest, follows }, params, { window, entryZ, exitZ });
  });
  await fc.assert(check, settings);
});

it.each(['momentum', 'mean_reversion', 'arbitrage'] as const)('%s has the defaults of the rules', async (strategy) => {
  const common = { seed: 7, startDay: 120, days: 365, capital: 100_000, commission: 0.001, follows: true };
  await compare(strategy, common, undefined, {});
});

interface Case {
  seed: number;
  startDay: number;
  days: number;
  capital: number;
  commission: number;
  follows?: boolean;
}

async function compare(
  strategy: ReferenceRequest['strategy'],
  { seed, startDay, days, capital, commission, follows }: Case,
  params: object | undefined,
  settings: Partial<ReferenceRequest>,
): Promise<void> {
  const a = randomWalk(seed, bars);
  const b =
    strategy === 'arbitrage' ? withHolidays(randomWalk(seed + 1, bars, follows ? a : undefined), seed) : undefined;
  const start = addDays('2015-01-01', startDay);
  const end = addDays(start, days);
  await workspace.writePrices('A', a);
  if (b) await workspace.writePrices('B', b);
  const request = { strategy, a, start, end, capital, commission, ...settings };
  const expected = reference(b ? { ...request, b } : request);
  const run = workspace.run({
    strategy,
    ticker: 'A',
    ...(b ? { pair_ticker: 'B' } : {}),
    start_date: start,
    end_date: end,
    initial_capital: capital,
    commission,
    ...(params ? { params } : {}),
  });
  if (expected === undefined) await expect(run).rejects.toMatchObject({ code: 'PRICE_RANGE_EMPTY' });
  else expectSame(await run, expected, capital);
}

function withHolidays(rows: Bar[], seed: number): Bar[] {
  const random = seededRandom(seed + 2);
  return rows.filter(() => random() > 0.05);
}

function expectSame(result: BacktestResult, expected: ReferenceResult, capital: number): void {
  for (const [key, value] of Object.entries(expected.metrics)) expectNear(result[key], value, key);
  for (const [key, value] of Object.entries(expected.benchmark))
    expectNear(result.benchmark[key], value, `benchmark.${key}`);
  expect(result.equity_curve.map(([date]) => date)).toEqual(expected.dates);
  for (const [i, value] of expected.equity.entries())
    expectNear(result.equity_curve[i]?.[1], value, `equity ${i}`, capital);
  const dates = result.trade_list.map((trade) => [trade.entry_date, trade.exit_date, trade.direction]);
  expect(dates).toEqual(expected.trades.map((trade) => [trade.entry, trade.exit, trade.direction]));
  for (const [i, trade] of expected.trades.entries()) {
    expectNear(result.trade_list[i]?.pnl, trade.pnl, `pnl ${i}`, capital);
    expectNear(result.trade_list[i]?.return, trade.ret, `return ${i}`);
  }
}

/** Equal at 1e-9 of the larger one; what is smaller than a thousandth of `scale` is a difference of larger numbers. */
function expectNear(actual: unknown, expected: number | null, name: string, scale = 1): void {
  if (expected === null || typeof actual !== 'number') {
    expect({ [name]: actual }).toEqual({ [name]: expected });
    return;
  }
  const tolerance = 1e-9 * Math.max(Math.abs(actual), Math.abs(expected), scale / 1000);
  if (Math.abs(actual - expected) > tolerance) expect({ [name]: actual }).toEqual({ [name]: expected });
}
