import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Json } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { TimedChange } from '../change.js';
import type { JobRow } from '../jobs/job.js';
import { submitJob } from '../jobs/submit-job.js';
import { type Baton, findBaton, findBatonOfJob } from './baton.js';
import { type HeldBaton, readHeldBaton } from './baton-prompt.js';
import { admitWaiting, type Refused } from './hand-over.js';
import { findPipeline, type Pipeline, type RunPlan } from './pipeline.js';
import { findStep } from './step.js';

/** The type of the jobs that work on a relay's steps. */
export const relayStep = 'relay_step';

/** The payload of such a job, as it is stored. */
export interface StepPayload {
  pipeline_id: string;
  baton_id: string;
  model?: string | undefined;
  judge_model?: string | undefined;
}

/** The result of such a job, as it is stored. */
export interface StepJobResult {
  output: Json;
  /** The judge's scores, from 0 to 1. Both are 0 for an output that breaks its schema: the judge does not see it. */
  quality_score: number;
  l_score: number;
  /** Why the judge scored so. */
  reason?: string | undefined;
  /** How the output breaks the step's schema. */
  problem?: string | undefined;
}

/** The job that works on a baton, unless it has ended. */
export async function findStepJob(sql: Sql, { jobId }: Pick<Baton, 'jobId'>): Promise<JobRow | undefined> {
  if (jobId === null) return undefined;
  return sql.get<JobRow>("select * from jobs where id = ? and status in ('pending', 'running')", jobId);
}

/** Throws `conflict` while a background job works on the baton: its result and a session's would both count. */
export async function refuseWhileJobWorks(sql: Sql, baton: Baton): Promise<void> {
  const job = await findStepJob(sql, baton);
  if (!job) return;
  throw new RuntimeError(
    'conflict',
    `Job ${job.id}, which run_relay started, works on step ${baton.stepIndex} of relay ${baton.pipelineId}.`,
    `Wait for it with wait_for_tasks, or call cancel_task with ${job.id} and go on by hand.`,
  );
}

/** Hands a baton to a background job. A baton has one job at the most, so that no step runs twice under one attempt. */
export async function submitStepJob(
  sql: Sql,
  pipeline: Pipeline,
  baton: Baton,
  plan: Omit<RunPlan, 'runId'>,
  actor: Actor,
  clock: Clock,
): Promise<JobRow> {
  const chosen = plan.models[baton.stepIndex];
  if (!chosen) throw new Error(`The plan of relay ${pipeline.id} has no model for step ${baton.stepIndex}.`);
  const { row } = await submitJob(
    sql,
    {
      type: relayStep,
      payload: {
        pipeline_id: pipeline.id,
        baton_id: baton.id,
        model: chosen.model,
        judge_model: plan.judgeModel,
      },
      requires: chosen.provider,
      requestedModel: chosen.model,
      idempotencyKey: `relay:${baton.id}`,
      project: pipeline.project,
    },
    actor,
    clock,
  );
  await sql.run('update relay_batons set job_id = ? where id = ?', row.id, baton.id);
  return row;
}

export type Taken = { held: HeldBaton } | Refused;

/**
 * Gives a job that begins its baton, with all that its agent needs, or says why no agent may work on it now. Throws
 * `conflict` when the job has lost the baton.
 */
export async function takeBaton(sql: Sql, batonId: string, jobId: string, change: TimedChange): Promise<Taken> {
  const waiting = await findBatonOfJob(sql, batonId, jobId);
  if (!waiting) throw await lostBaton(sql, batonId, jobId);
  const step = await findStep(sql, waiting.pipelineId, waiting.stepIndex);
  const admitted = await admitWaiting(sql, waiting, step, change);
  if ('refusal' in admitted) return admitted;
  await sql.run("update relay_batons set status = 'in_progress' where id = ?", batonId);
  const baton: Baton = { ...admitted.baton, status: 'in_progress' };
  return { held: await readHeldBaton(sql, await findPipeline(sql, baton.pipelineId), step, baton) };
}

export async function lostBaton(sql: Sql, batonId: string, jobId: string): Promise<RuntimeError> {
  const baton = await findBaton(sql, batonId);
  const pipeline = baton && (await findPipeline(sql, baton.pipelineId));
  if (!pipeline) return new RuntimeError('conflict', `Baton ${batonId} does not exist any more.`);
  return new RuntimeError(
    'conflict',
    `Job ${jobId} does not hold a baton of relay ${pipeline.id} any more: the relay is ${pipeline.status}, its baton ${batonId} is ${baton.status}.`,
    `Call run_relay with ${pipeline.id} to go on from where it stands.`,
  );
}
