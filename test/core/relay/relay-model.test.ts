import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RuntimeError } from '../../../src/base/errors.js';
import type { BatonRow } from '../../../src/core/relay/baton.js';
import type { NewPipeline } from '../../../src/core/relay/create-pipeline.js';
import { maxRetries } from '../../../src/core/relay/step.js';
import { other, type Relay, relay, session } from './relay.js';

/** What somebody may do to a relay; what the relay refuses changes nothing. */
type Operation =
  | {
      do: 'advance';
      quality: number;
      tokens: number;
      byOther: boolean;
      namesBaton: 'open' | 'old' | 'none';
      which: number;
    }
  | { do: 'retry'; step: number | 'current'; budget: number | undefined }
  | { do: 'trip' | 'reset'; agent: string }
  | { do: 'pass'; seconds: number }
  | { do: 'decide'; step: number | undefined; isApproved: boolean }
  | { do: 'cancel' };

const agent = fc.constantFrom('researcher', 'analyzer', 'formatter', 'generalist');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      quality: fc.constantFrom(0.1, 0.65, 0.9, 0.9, 0.9),
      tokens: fc.constantFrom(0, 10, 400),
      byOther: fc.boolean(),
      namesBaton: fc.constantFrom('open' as const, 'open' as const, 'open' as const, 'old' as const, 'none' as const),
      which: fc.nat(1),
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
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      step: fc.constantFrom(undefined, undefined, 1, 2),
      isApproved: fc.constantFrom(true, true, true, false),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('trip' as const, 'reset' as const), agent }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const) }) },
);

async function act(runtime: Relay, operation: Operation): Promise<void> {
  const { relays, id } = runtime;
  switch (operation.do) {
    case 'advance': {
      const batons = await runtime.db.all<BatonRow>('select * from relay_batons order by created_at, attempt');
      const open = batons.filter(isOpen);
      const chosen = open[operation.which % Math.max(1, open.length)];
      const old = batons.find((baton) => !isOpen(baton));
      const batonId =
        operation.namesBaton === 'open' ? chosen?.id : operation.namesBaton === 'old' ? old?.id : undefined;
      const attempt = { qualityScore: operation.quality, tokensUsed: operation.tokens, batonId };
      return void (await runtime.advance(attempt, operation.byOther ? other : session));
    }
    case 'retry': {
      const { currentStep } = (await relays.get(id)).pipeline;
      const stepIndex = operation.step === 'current' ? currentStep : operation.step;
      return void (await relays.retry({ pipelineId: id, stepIndex, tokenBudget: operation.budget }, session));
    }
    case 'trip':
      return void (await runtime.breakers.trip(operation.agent, { reason: 'test' }));
    case 'reset':
      return void (await runtime.breakers.reset(operation.agent));
    case 'pass':
      return runtime.clock.pass(operation.seconds * 1000);
    case 'decide': {
      const { step, isApproved } = operation;
      return void (await runtime.relayRuns.decide({ pipelineId: id, stepIndex: step, isApproved }, other));
    }
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

function holds({ pipeline, results, batons, tokensUsed, remainingTokens, ...detail }: Snapshot): void {
  const open = batons.filter(isOpen);
  const counting = results.filter((result) => result.isCurrent);
  const passed = counting.map((result) => result.stepIndex).sort((a, b) => a - b);
  const stage = stageFrom(detail.steps, pipeline.currentStep);
  // The steps that have passed are those before the first that has not, and some that work beside it, each once.
  expect(passed.slice(0, pipeline.currentStep)).toEqual([...Array(pipeline.currentStep).keys()]);
  expect(stage.slice(1)).toEqual(expect.arrayContaining(passed.slice(pipeline.currentStep)));
  expect(counting.every((result) => result.status === 'passed')).toBe(true);
  expect(pipeline.status === 'completed').toBe(pipeline.currentStep === pipeline.totalSteps);
  // Steps that work beside each other have a baton each, but for those that have passed or failed.
  const unpassed = stage.filter((index) => !passed.includes(index));
  const withBaton = open.map((baton) => baton.step_index);
  expect(unpassed).toEqual(expect.arrayContaining(withBaton));
  expect(new Set(withBaton).size).toBe(withBaton.length);
  if (['pending', 'in_progress'].includes(pipeline.status)) expect(withBaton).not.toEqual([]);
  else if (pipeline.status === 'failed') expect(withBaton.length).toBeLessThan(unpassed.length);
  else expect(withBaton).toEqual([]);
  expect(batons.every((baton) => baton.retry_count <= maxRetries)).toBe(true);
  // An attempt has one result at the most, and every result is of a baton that says the same.
  const byBaton = new Map(results.map((result) => [result.batonId, result.status]));
  expect(byBaton.size).toBe(results.length);
  for (const baton of batons) {
    if (baton.status === 'passed' || baton.status === 'failed') expect(byBaton.get(baton.id)).toBe(baton.status);
    // What waits for a person has a result that does not count yet; so has what was replaced or cancelled meanwhile.
    else if (baton.approval_asked_at !== null) expect(byBaton.get(baton.id)).toBe('passed');
    else if (isOpen(baton) || !detail.steps[baton.step_index]?.needsApproval) expect(byBaton.has(baton.id)).toBe(false);
  }
  expect(tokensUsed).toBe(sum(results.map((result) => result.tokensUsed)));
  expect(remainingTokens).toBe(Math.max(0, pipeline.tokenBudget - tokensUsed));
  expect(detail.qualityScores.toSorted()).toEqual(counting.map((result) => result.qualityScore).toSorted());
  if (pipeline.status === 'failed') expect(pipeline.errorMessage).not.toBeNull();
}

const isOpen = ({ status }: BatonRow): boolean => ['pending', 'in_progress', 'waiting'].includes(status);

/** A step and those after it that work beside it. */
function stageFrom(steps: Snapshot['steps'], first: number): number[] {
  const next = steps.findIndex(({ stepIndex, isParallel }) => stepIndex > first && !isParallel);
  return steps.slice(first, next === -1 ? undefined : next).map(({ stepIndex }) => stepIndex);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const plain: Partial<NewPipeline> = { tokenBudget: 600 };
/** Two work beside each other, and a person has to let two pass. */
const staged: Partial<NewPipeline> = {
  tokenBudget: 1_500,
  steps: [
    { agentType: 'researcher' },
    { agentType: 'analyzer', isParallel: true, needsApproval: true },
    { agentType: 'formatter', needsApproval: true },
  ],
};

const pass = { do: 'advance', quality: 0.9, tokens: 10, byOther: false, namesBaton: 'open', which: 0 } as const;
const approve = { do: 'decide', step: undefined, isApproved: true } as const;
const waste = { ...pass, quality: 0.1, tokens: 400 };
const again = { do: 'retry', step: 'current', budget: undefined } as const;

/** What chance need not meet: every step passes, all tokens are spent, one advances what was cancelled. */
const corners: Operation[][] = [
  [...Array(6)].flatMap(() => [pass, approve]),
  [...Array(4)].flatMap(() => [waste, again]),
  [{ do: 'cancel' }, pass],
];

it.each([
  ['whose steps follow each other', plain, []],
  ['with steps beside each other and steps for a person', staged, ['decide']],
])(
  'whatever is done to a relay %s, its rows agree with each other, and what is refused changes nothing',
  async (_, shape, furtherOutcomes) => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 40, size: 'max' }), async (operations) => {
        const runtime = await relay(shape);
        for (const operation of operations) {
          const before = await snapshot(runtime);
          try {
            await act(runtime, operation);
            seen.add(operation.do);
          } catch (error) {
            if (!(error instanceof RuntimeError)) throw error;
            seen.add(error.code);
            // Said after it was written: the tokens were used.
            const isWritten = error.code === 'budget_exhausted' && operation.do === 'advance';
            if (!isWritten) expect(await snapshot(runtime)).toEqual(before);
          }
          const after = await snapshot(runtime);
          holds(after);
          seen.add(after.pipeline.status);
        }
        runtime.close();
      }),
      { numRuns: 50, examples: corners.map((operations): [Operation[]] => [operations]) },
    );
    // The sequences reach every corner.
    const outcomes = ['advance', 'retry', 'cancel', 'conflict', 'budget_exhausted', 'completed', 'failed'];
    expect([...seen]).toEqual(expect.arrayContaining([...furtherOutcomes, ...outcomes]));
  },
);
