import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { JobRow } from '../jobs/job.js';
import { submitJob } from '../jobs/submit-job.js';
import type { BatonRow } from './baton.js';
import type { PipelineRow, RunPlan } from './pipeline.js';

/** The type of the jobs that work on a relay's steps. */
export const relayStep = 'relay_step';

/** The job that works on a baton, unless it has ended. */
export async function findStepJob(sql: Sql, { job_id }: Pick<BatonRow, 'job_id'>): Promise<JobRow | undefined> {
  if (job_id === null) return undefined;
  return sql.get<JobRow>("select * from jobs where id = ? and status in ('pending', 'running')", job_id);
}

/** Throws `conflict` while a background job works on the baton: its result and a session's would both count. */
export async function refuseWhileAtWork(sql: Sql, baton: BatonRow): Promise<void> {
  const job = await findStepJob(sql, baton);
  if (!job) return;
  throw new RuntimeError(
    'conflict',
    `Step ${baton.step_index} of relay ${baton.pipeline_id} is being worked on by job ${job.id}, which run_relay started.`,
    `Wait for it with wait_for_tasks, or call cancel_task with ${job.id} and go on by hand.`,
  );
}

/** Hands a baton to a background job. A baton has one job at the most, so that no step runs twice under one attempt. */
export async function submitStepJob(
  sql: Sql,
  pipeline: PipelineRow,
  baton: BatonRow,
  plan: Omit<RunPlan, 'run_id'>,
  actor: Actor,
  clock: Clock,
): Promise<JobRow> {
  const chosen = plan.models[baton.step_index];
  if (!chosen) throw new Error(`The plan of relay ${pipeline.id} has no model for step ${baton.step_index}.`);
  const { row } = await submitJob(
    sql,
    {
      type: relayStep,
      payload: {
        pipeline_id: pipeline.id,
        baton_id: baton.id,
        model: chosen.model,
        judge_model: plan.judge_model,
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
