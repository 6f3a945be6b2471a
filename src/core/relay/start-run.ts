import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import type { BatonRow } from './baton.js';
import { type PipelineRow, type RunPlan, type StepModel, toRunPlan } from './pipeline.js';
import { changeRelayBudget, openRelayBudget } from './relay-budget.js';
import { findOpenBaton, findPipeline } from './relay-rows.js';
import { requireTokens, retryStep } from './retry-step.js';
import { findStepJob, submitStepJob } from './step-job.js';

export interface RunWish {
  pipelineId: string;
  judgeModel: string;
  /** By step; null for those that have passed. */
  models: (StepModel | null)[];
  /** Tokens of the whole relay from now on. */
  tokenBudget?: number | undefined;
}

export interface StartedRun {
  pipeline: PipelineRow;
  /** The id of its first job. */
  runId: string;
  jobId: string;
  /** The relay was running already; nothing has changed. */
  isRepeated: boolean;
}

/**
 * Has the step that has the baton worked on by a job, and so the steps after it; one that has failed is tried again with
 * fresh retries. Throws `not_found`, `conflict` for a relay that has ended, `budget_exhausted`; then nothing was stored.
 */
export async function startRun(sql: Sql, wish: RunWish, actor: Actor, clock: Clock): Promise<StartedRun> {
  const change = { at: clock.now(), actor };
  const pipeline = await findPipeline(sql, wish.pipelineId);
  refuseEnded(pipeline);
  const open = await findOpenBaton(sql, pipeline.id);
  const job = open && (await findStepJob(sql, open));
  if (job) {
    const runId = toRunPlan(pipeline)?.run_id ?? job.id;
    return { pipeline, runId, jobId: job.id, isRepeated: true };
  }
  if (wish.tokenBudget !== undefined) await changeRelayBudget(sql, pipeline, wish.tokenBudget, change.at);
  await openRelayBudget(sql, pipeline, change.at);
  await requireTokens(sql, pipeline);
  const baton = await unworked(sql, pipeline, open, change);
  const plan = { judge_model: wish.judgeModel, models: wish.models };
  const { id: runId } = await submitStepJob(sql, pipeline, baton, plan, actor, clock);
  const run: RunPlan = { run_id: runId, ...plan };
  await sql.run(
    `update relay_pipelines set status = 'in_progress', run = ?, started_at = coalesce(started_at, ?), updated_at = ?
     where id = ?`,
    JSON.stringify(run),
    change.at,
    change.at,
    pipeline.id,
  );
  const data = { run_id: runId, step: baton.step_index };
  await recordEvent(sql, { ...change, subject: 'relay', subjectId: pipeline.id, type: 'run_started', data });
  return { pipeline: await findPipeline(sql, pipeline.id), runId, jobId: runId, isRepeated: false };
}

function refuseEnded({ id, status }: PipelineRow): void {
  if (status !== 'completed' && status !== 'cancelled') return;
  throw new RuntimeError(
    'conflict',
    `Relay ${id} is ${status}.`,
    status === 'completed'
      ? 'To do steps again, call retry_relay_step with the first of them, then run_relay.'
      : 'Create a new one with create_relay_pipeline.',
  );
}

/** The open baton, unless a job that was cancelled has had it: a new one then, and after a failure. */
async function unworked(
  sql: Sql,
  pipeline: PipelineRow,
  open: BatonRow | undefined,
  change: { at: number; actor: Actor },
): Promise<BatonRow> {
  if (open && open.job_id === null) return open;
  const wish = { pipelineId: pipeline.id, stepIndex: pipeline.current_step, isFresh: true };
  return (await retryStep(sql, wish, change)).baton;
}
