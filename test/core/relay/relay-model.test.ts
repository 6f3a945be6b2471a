import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.js';
import type { BatonRow } from '../../../src/core/relay/baton.js';
import { maxRetries, type ResultRow } from '../../../src/core/relay/pipeline.js';
import { other, type Relay, relay, session } from './relay.js';

/** What somebody may do to a relay; what the relay refuses changes nothing. */
type Operation =
  | { do: 'advance'; quality: number; tokens: number; byOther: boolean; namesBaton: 'open' | 'old' | 'none' }
  | { do: 'retry'; step: number | 'current'; budget: number | undefined }
  | { do: 'trip' | 'reset'; agent: string }
  | { do: 'pass'; seconds: number }
  | { do: 'cancel' };

const agent = fc.constantFrom('researcher', 'analyzer', 'formatter', 'generalist');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      quality: fc.constantFrom(0.1, 0.65, 0.9),
      tokens: fc.constantFrom(0, 10, 400),
      byOther: fc.boolean(),
      namesBaton: fc.constantFrom('open' as const, 'open' as const, 'old' as const, 'none' as const),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('retry' as const),
      step: fc.constantFrom('current' as const, 'current' as const, 'current' as const, 0, 1, 3),
      budget: fc.constantFrom(undefined, undefined, 1_000, 3_000),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('trip' as const, 'reset' as const), agent }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const) }) },
);

async function act(runtime: Relay, wish: Operation): Promise<void> {
  const { relays, id } = runtime;
  switch (wish.do) {
    case 'advance': {
      const batons = await runtime.db.all<BatonRow>('select * from relay_batons order by created_at, attempt');
      const open = batons.find(({ status }) => ['pending', 'waiting'].includes(status));
      const old = batons.find(({ status }) => !['pending', 'waiting'].includes(status));
      const batonId = wish.namesBaton === 'open' ? open?.id : wish.namesBaton === 'old' ? old?.id : undefined;
      const attempt = { qualityScore: wish.quality, tokensUsed: wish.tokens, batonId };
      return void (await runtime.advance(attempt, wish.byOther ? other : session));
    }
    case 'retry': {
      const { current_step } = (await relays.get(id)).row;
      const stepIndex = wish.step === 'current' ? current_step : wish.step;
      return void (await relays.retry({ pipelineId: id, stepIndex, tokenBudget: wish.budget }, session));
    }
    case 'trip':
      return void (await runtime.breakers.trip(wish.agent, { reason: 'test' }));
    case 'reset':
      return void (await runtime.breakers.reset(wish.agent));
    case 'pass':
      return runtime.clock.pass(wish.seconds * 1000);
    case 'cancel':
      return void (await relays.cancel(id, session));
  }
}

async function snapshot({ db, id, relays }: Relay) {
  const detail = await relays.get(id);
  const batons = await db.all<BatonRow>('select * from relay_batons order by step_index, attempt');
  return { ...detail, batons };
}

type Snapshot = Awaited<ReturnType<typeof snapshot>>;

function holds({ row, results, batons, tokensUsed, remainingTokens, ...detail }: Snapshot): void {
  const open = batons.filter(({ status }) => ['pending', 'in_progress', 'waiting'].includes(status));
  const counting = results.filter((result) => result.is_current === 1);
  // The steps that have passed are those before the one that has the baton, each once.
  expect(counting.map((result) => result.step_index)).toEqual([...Array(row.current_step).keys()]);
  expect(counting.every((result) => result.status === 'passed')).toBe(true);
  expect(row.status === 'completed').toBe(row.current_step === row.total_steps);
  expect(open.map((baton) => baton.step_index)).toEqual(
    ['pending', 'in_progress'].includes(row.status) ? [row.current_step] : [],
  );
  expect(batons.every((baton) => baton.retry_count <= maxRetries)).toBe(true);
  // An attempt has one result at the most, and every result is of a baton that says the same.
  const byBaton = new Map(results.map((result) => [result.baton_id, result.status]));
  expect(byBaton.size).toBe(results.length);
  for (const baton of batons) {
    if (baton.status === 'passed' || baton.status === 'failed') expect(byBaton.get(baton.id)).toBe(baton.status);
    else expect(byBaton.has(baton.id)).toBe(false);
  }
  expect(tokensUsed).toBe(sum(results.map((result) => result.tokens_used)));
  expect(remainingTokens).toBe(Math.max(0, row.token_budget - tokensUsed));
  expect(detail.qualityScores).toEqual(counting.map((result: ResultRow) => result.quality_score));
  if (row.status === 'failed') expect(row.error_message).not.toBeNull();
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

it('whatever is done to a relay, its rows agree with each other, and what is refused changes nothing', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 40, size: 'max' }), async (operations) => {
      const runtime = await relay({ token_budget: 600 });
      for (const wish of operations) {
        const before = await snapshot(runtime);
        try {
          await act(runtime, wish);
          seen.add(wish.do);
        } catch (error) {
          if (!(error instanceof RuntimeError)) throw error;
          seen.add(error.code);
          // Said after it was written: the tokens were used.
          const isWritten = error.code === 'budget_exhausted' && wish.do === 'advance';
          if (!isWritten) expect(await snapshot(runtime)).toEqual(before);
        }
        const after = await snapshot(runtime);
        holds(after);
        seen.add(after.row.status);
      }
      runtime.close();
    }),
    { numRuns: 50 },
  );
  // The sequences reach every corner.
  for (const corner of ['advance', 'retry', 'cancel', 'conflict', 'budget_exhausted', 'completed', 'failed']) {
    expect(seen).toContain(corner);
  }
}, 60_000);
