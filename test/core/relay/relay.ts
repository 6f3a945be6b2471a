import type { Actor } from '../../../src/core/actor.js';
import type { AdvanceRequest } from '../../../src/core/relay/advance-relay.js';
import type { BatonDocument } from '../../../src/core/relay/baton.js';
import type { NewPipeline } from '../../../src/core/relay/create-pipeline.js';
import type { Advanced } from '../../../src/core/relay/end-step.js';
import type { Runtime } from '../../../src/runtime.js';
import { type MovingClock, movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

export const session: Actor = { holder: 'claude:one', project: '/work/one' };
export const other: Actor = { holder: 'claude:two', project: '/work/one' };

export interface Relay extends Runtime {
  clock: MovingClock;
  id: string;
  /** Hands in a good result for the step that has the baton, unless told otherwise. */
  advance(more?: Partial<AdvanceRequest>, actor?: Actor): Promise<Advanced>;
  /** The same, of a result that does not pass. */
  fail(more?: Partial<AdvanceRequest>): Promise<Advanced>;
  retry(stepIndex: number, feedback?: string): Promise<BatonDocument>;
  baton(): Promise<BatonDocument>;
  events(): Promise<string[]>;
}

/** A relay of three agents in a runtime of its own. */
export async function relay(more: Partial<NewPipeline> = {}): Promise<Relay> {
  const clock = movingClock();
  const runtime = await testRuntime({ clock });
  const agents = more.steps || more.preset ? {} : { agentTypes: ['researcher', 'analyzer', 'formatter'] };
  const request = { name: 'Prices', goal: 'Compare the prices', tokenBudget: 10_000, ...agents, ...more };
  const { pipeline } = await runtime.relays.create(request, session);
  const advance = (changes: Partial<AdvanceRequest> = {}, actor = session) =>
    runtime.relays.advance(
      { pipelineId: pipeline.id, qualityScore: 0.9, lScore: 0.8, tokensUsed: 100, output: 'Done.', ...changes },
      actor,
    );
  return Object.assign(runtime, {
    clock,
    id: pipeline.id,
    advance,
    fail: (changes: Partial<AdvanceRequest> = {}) => advance({ qualityScore: 0.1, ...changes }),
    retry: async (stepIndex: number, feedback?: string) =>
      (await runtime.relays.retry({ pipelineId: pipeline.id, stepIndex, feedback }, session)).baton.document,
    baton: async () => (await runtime.relays.baton(pipeline.id)).baton.document,
    async events() {
      const rows = await runtime.db.all<{ type: string }>(
        "select type from events where subject = 'relay' and subject_id = ? order by id",
        pipeline.id,
      );
      return rows.map(({ type }) => type);
    },
  });
}
