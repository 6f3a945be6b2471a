import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { type Advance, advanceRelay, noBaton } from './advance-relay.js';
import { type CancelledPipeline, cancelPipeline } from './cancel-pipeline.js';
import { type CreatedPipeline, createPipeline, type NewPipeline, planSteps } from './create-pipeline.js';
import type { Advanced } from './end-step.js';
import { checkOutput } from './output-schema.js';
import {
  type HeldBaton,
  type ListedPipeline,
  listPipelines,
  type PipelineDetail,
  type PipelineFilter,
  readHeldBaton,
  readPipeline,
} from './read-pipeline.js';
import { findOpenBaton, findPipeline, findStep } from './relay-rows.js';
import { type Retried, retryStep, type StepRetry } from './retry-step.js';

export type Relays = ReturnType<typeof createRelays>;

/** Relay pipelines: agents that hand a baton to each other, each with the output of the one before. */
export function createRelays({ db, clock }: { db: Database; clock: Clock }) {
  const changeBy = (actor: Actor) => ({ at: clock.now(), actor });

  return {
    /** Throws `invalid`; then nothing was stored. */
    async create(wish: NewPipeline, actor: Actor): Promise<CreatedPipeline> {
      const steps = await planSteps(wish);
      return db.transaction((sql) => createPipeline(sql, wish, steps, actor, clock.now()));
    },

    /**
     * Hands the baton on, or says which gate was not passed. Throws as `advanceRelay` does, and `budget_exhausted` after
     * it has written that the step used more than was left.
     */
    async advance(wish: Advance, actor: Actor): Promise<Advanced> {
      const attempt = await checkAttempt(db, wish);
      const advanced = await db.transaction((sql) => advanceRelay(sql, attempt, changeBy(actor)));
      if (advanced.kind === 'failed' && advanced.failure === 'budget_exhausted') {
        throw new RuntimeError(
          'budget_exhausted',
          `${advanced.reason} Step ${advanced.stepIndex} failed.`,
          `What it delivered is kept with its result. Call retry_relay_step with step_index ${advanced.stepIndex} and a higher token_budget.`,
        );
      }
      return advanced;
    },

    retry: (wish: StepRetry, actor: Actor): Promise<Retried> =>
      db.transaction((sql) => retryStep(sql, wish, changeBy(actor))),

    cancel: (id: string, actor: Actor): Promise<CancelledPipeline> =>
      db.transaction((sql) => cancelPipeline(sql, id, changeBy(actor))),

    get: (id: string): Promise<PipelineDetail> => readPipeline(db, id),

    list: (filter: PipelineFilter): Promise<ListedPipeline[]> => listPipelines(db, filter),

    /** Throws `conflict` when nobody has the baton, saying why. */
    async baton(id: string): Promise<HeldBaton> {
      const pipeline = await findPipeline(db, id);
      const row = await findOpenBaton(db, id);
      if (!row) throw noBaton(pipeline);
      return readHeldBaton(db, pipeline, row, await findStep(db, id, row.step_index));
    },
  };
}

/** Characters of an output as JSON. */
const longestOutput = 5_000_000;

/** Checks the output by the schema of the step that has the baton now; a transaction could not wait for that. */
async function checkAttempt(db: Database, wish: Advance): Promise<Advance> {
  const length = wish.output === undefined ? 0 : JSON.stringify(wish.output).length;
  if (length > longestOutput) {
    throw new RuntimeError(
      'invalid',
      `The output has ${length} characters; ${longestOutput} are the most.`,
      'Nothing was written. Put it into a file, and pass where it is and what it says.',
    );
  }
  const row = await findOpenBaton(db, wish.pipelineId);
  if (!row) throw noBaton(await findPipeline(db, wish.pipelineId));
  // Of a baton that is not the open one nothing is written, whatever the output is.
  if (wish.batonId !== undefined && wish.batonId !== row.id) return wish;
  const { output_schema } = await findStep(db, wish.pipelineId, row.step_index);
  if (output_schema !== null && wish.output === undefined) {
    throw new RuntimeError(
      'invalid',
      `Step ${row.step_index} has an output schema, and no output was given.`,
      'Nothing was written. Pass output as its schema says; get_relay_baton shows it.',
    );
  }
  const checked = await checkOutput(output_schema, wish.output);
  const seen = { ...wish, seenBatonId: row.id };
  return 'problem' in checked ? { ...seen, problem: checked.problem } : { ...seen, output: checked.output };
}
