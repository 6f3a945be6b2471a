import { RuntimeError } from '../base/errors.js';
import type { Json } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import type { Strategy } from '../core/goals/plan.js';
import type { Job } from '../core/jobs/job.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { Models, ResolvedModel } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import { waitForJob } from './wait-for-job.js';

/** What is planned: a goal, or a task that is to be broken down. */
export interface PlanSubject {
  kind: 'goal' | 'task';
  id: number;
  name: string;
  description: string;
  /** Whose budget pays for the plan. */
  goalId: number | null;
  /** Proves the claim of the caller on the task. */
  claimToken?: number | undefined;
}

export interface ModelPlanRequest {
  strategy: Strategy;
  model?: string | undefined;
  max_tasks: number;
}

export interface ModelPlanNeeds {
  runtime: { models: Models; jobs: Pick<Jobs, 'get' | 'list' | 'submit'> };
  actor: Actor;
  signal: AbortSignal;
  progress(message: string): void;
}

/** The result of the job that made the plan; or its id, when it takes longer than a call may. */
export type ModelPlan = { result: Json } | { jobId: string };

/**
 * Has a configured model plan a goal or a task, in a job that also creates the tasks. Throws `not_configured` without the
 * model, and `unavailable` when it made no plan.
 */
export async function planByModel(
  subject: PlanSubject,
  request: ModelPlanRequest,
  { runtime, actor, ...face }: ModelPlanNeeds,
): Promise<ModelPlan> {
  const model = runtime.models.resolve(request.model);
  runtime.models.provider(model.provider);
  const job =
    (await planUnderWay(subject, runtime.jobs)) ??
    (await runtime.jobs.submit(planJob(subject, request, model), actor)).job;
  const ended = await waitForJob(job.id, 'the plan is being made', { ...face, jobs: runtime.jobs });
  if (!ended) return { jobId: job.id };
  if (ended.status === 'completed') return { result: ended.result };
  throw new RuntimeError(
    'unavailable',
    `The model made no plan (task ${job.id} ${ended.status}): ${ended.errorMessage}`,
    'Pass your own plan as tasks, or call retry_task with that id.',
  );
}

/** The job that plans it already: a caller that asks again before it ends must not get the tasks twice. */
async function planUnderWay({ kind, id }: PlanSubject, jobs: Pick<Jobs, 'list'>): Promise<Job | undefined> {
  for (const status of ['running', 'pending'] as const) {
    const open = await jobs.list({ type: 'decompose', status, limit: 100 });
    const known = open.find(({ payload }) => {
      const { task_id, goal_id } = payload as { task_id?: number; goal_id?: number };
      return kind === 'task' ? task_id === id : task_id === undefined && goal_id === id;
    });
    if (known) return known;
  }
  return undefined;
}

function planJob(subject: PlanSubject, request: ModelPlanRequest, model: ResolvedModel): NewJob {
  const { kind, id, name, description, goalId, claimToken } = subject;
  return {
    type: 'decompose',
    payload: {
      ...(kind === 'goal' ? { goal_id: id } : { task_id: id }),
      ...(claimToken === undefined ? {} : { claim_token: claimToken }),
      goal: { name, description },
      strategy: request.strategy,
      max_tasks: request.max_tasks,
      model: model.requested,
    },
    requires: model.provider,
    requestedModel: model.requested,
    warnings: model.warnings,
    goalId: goalId ?? undefined,
  };
}
