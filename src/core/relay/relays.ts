import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { type AdvanceRequest, advanceRelay, checkAttempt, noBaton } from './advance-relay.js';
import { releasePermit } from './agent-breakers.js';
import { findOpenBaton, newestBatonOf } from './baton.js';
import { type HeldBaton, readHeldBaton } from './baton-prompt.js';
import { type CreatedPipeline, createPipeline, type NewPipeline, planSteps } from './create-pipeline.js';
import type { Advanced } from './end-step.js';
import { findPipeline, type Pipeline, updatePipeline } from './pipeline.js';
import {
  type ListedPipeline,
  listPipelines,
  type PipelineDetail,
  type PipelineFilter,
  readPipeline,
} from './read-pipeline.js';
import { type Retried, type RetryRequest, retryStep } from './retry-step.js';
import { findStep } from './step.js';
import { findStepJob } from './step-job.js';

export type Relays = ReturnType<typeof createRelays>;

/** Relay pipelines: agents that hand a baton to each other, each with the output of the one before. */
export function createRelays({ db, clock }: { db: Database; clock: Clock }) {
  const changeBy = (actor: Actor) => ({ at: clock.now(), actor });

  return {
    /** Throws `invalid`; then nothing was stored. */
    async create(request: NewPipeline, actor: Actor): Promise<CreatedPipeline> {
      const steps = await planSteps(request);
      return db.transaction((sql) => createPipeline(sql, request, steps, actor, clock.now()));
    },

    /**
     * Hands the baton on, or says which gate was not passed. Throws as `checkAttempt` and `advanceRelay` do, and
     * `budget_exhausted` after it has recorded that the step used more tokens than were left.
     */
    async advance(request: AdvanceRequest, actor: Actor): Promise<Advanced> {
      const attempt = await checkAttempt(db, request);
      const advanced = await db.transaction((sql) => advanceRelay(sql, attempt, changeBy(actor)));
      if (advanced.kind === 'failed' && advanced.failure === 'budget_exhausted') {
        throw new RuntimeError(
          'budget_exhausted',
          `${advanced.reason} Step ${advanced.stepIndex} failed.`,
          `Its output is kept with its result. Call retry_relay_step with step_index ${advanced.stepIndex} and a higher token_budget.`,
        );
      }
      return advanced;
    },

    retry: (request: RetryRequest, actor: Actor): Promise<Retried> =>
      db.transaction((sql) => retryStep(sql, request, changeBy(actor))),

    cancel: (id: string, actor: Actor): Promise<CancelledPipeline> =>
      db.transaction((sql) => cancelPipeline(sql, id, changeBy(actor))),

    get: (id: string): Promise<PipelineDetail> => readPipeline(db, id),

    list: (filter: PipelineFilter): Promise<ListedPipeline[]> => listPipelines(db, filter),

    /** Throws `conflict` when no baton is open, saying why. */
    async baton(id: string): Promise<HeldBaton> {
      const pipeline = await findPipeline(db, id);
      const baton = await findOpenBaton(db, id);
      if (!baton) throw noBaton(pipeline);
      return readHeldBaton(db, pipeline, await findStep(db, id, baton.stepIndex), baton);
    },
  };
}

export interface CancelledPipeline {
  pipeline: Pipeline;
  /** The job that was working on it. Its result does not count any more: cancel it too. */
  jobId: string | undefined;
}

/** Ends a relay for good and keeps the results of its steps. Throws `conflict` for one that is completed. */
async function cancelPipeline(sql: Sql, id: string, change: Change): Promise<CancelledPipeline> {
  const pipeline = await findPipeline(sql, id);
  if (pipeline.status === 'completed') {
    throw new RuntimeError('conflict', `Relay ${id} is already completed.`, 'There is nothing left to cancel.');
  }
  const open = await findOpenBaton(sql, id);
  const last = open ?? (await newestBatonOf(sql, id, pipeline.currentStep));
  const job = last && (await findStepJob(sql, last));
  if (pipeline.status === 'cancelled') return { pipeline, jobId: job?.id };
  if (open) {
    await sql.run("update relay_batons set status = 'cancelled' where id = ?", open.id);
    await releasePermit(sql, open.id);
  }
  const cancelled = await updatePipeline(sql, id, { status: 'cancelled', completed_at: change.at }, change.at);
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: id, type: 'cancelled' });
  return { pipeline: cancelled, jobId: job?.id };
}
