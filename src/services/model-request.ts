import { llmPayload } from '../agents/llm.js';
import { RuntimeError } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import { type Micros, microsOf } from '../base/money.js';
import type { Actor } from '../core/actor.js';
import { hasEnded, type Job } from '../core/jobs/job.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { ModelParams } from '../core/ports.js';
import { requireUsableSchema } from '../core/relay/output-schema.js';
import type { TaskReference } from '../core/tasks/task.js';
import type { Models, ResolvedModel } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import type { Worktrees } from '../worktrees/worktrees.js';
import { type BreakerNeeds, breakerWarning } from './breaker-warning.js';
import { type SharesNeeds, type SharesRequest, sharesOf } from './fair-shares.js';
import { workingDirectory } from './working-directory.js';

export interface LlmRequest extends SharesRequest {
  task_description: string;
  model?: string | undefined;
  model_params?: ModelParams | undefined;
  system?: string | undefined;
  priority?: number | undefined;
  depends_on?: readonly string[] | undefined;
  fallback_models?: readonly string[] | undefined;
  max_attempts?: number | undefined;
  timeout_seconds?: number | undefined;
  token_budget?: number | undefined;
  /** US dollars. */
  budget_usd?: number | undefined;
  idempotency_key?: string | undefined;
  task_id?: TaskReference | undefined;
  verify?: boolean | undefined;
  /** The id of the background task whose conversation goes on. */
  continue_from?: string | undefined;
  working_directory?: string | undefined;
  worktree?: boolean | undefined;
  /** Epoch milliseconds. */
  run_at?: number | undefined;
  delay_seconds?: number | undefined;
}

export interface LlmRequestNeeds {
  models: Models;
  jobs: Pick<Jobs, 'get' | 'submit' | 'retry'>;
}

export interface LlmSubmitNeeds extends LlmRequestNeeds, BreakerNeeds, SharesNeeds {
  worktrees: Pick<Worktrees, 'require'>;
}

/**
 * Submits a prompt as a job of type `llm`. Throws as `prepareLlmJob` and the queue do. `warnings` are those of the job,
 * and the open breakers that it waits for.
 */
export async function submitLlmJob(request: LlmRequest, actor: Actor, needs: LlmSubmitNeeds) {
  const { job, providers } = await prepareLlmJob(request, actor, needs);
  const submitted = await needs.jobs.submit(job, actor);
  if (hasEnded(submitted.job.status)) return { ...submitted, warnings: submitted.job.warnings };
  const waiting = await breakerWarning(
    providers.map((provider) => `llm:${provider}`),
    needs,
  );
  return { ...submitted, warnings: [...submitted.job.warnings, ...(waiting === undefined ? [] : [waiting])] };
}

/**
 * The job that a prompt becomes, and the providers that it may be given to. Throws `invalid` for an unknown model and
 * `not_configured` for a missing key, naming what to set: here the caller sees it, in the background it would not; and
 * `invalid` for a json_schema that cannot be checked.
 */
export async function prepareLlmJob(
  request: LlmRequest,
  actor: Actor,
  needs: Omit<LlmSubmitNeeds, 'jobs' | keyof BreakerNeeds> & { jobs: Pick<Jobs, 'get'> },
): Promise<{ job: NewJob; providers: string[] }> {
  const { models, jobs } = needs;
  const before = request.continue_from === undefined ? undefined : await continuedJob(request.continue_from, jobs);
  const model = usableModel(models, request.model ?? before?.model);
  const schema = request.model_params?.json_schema;
  if (schema) await requireUsableSchema(schema as JsonObject, 'model_params.json_schema');
  const fallbacks = (request.fallback_models ?? []).map((name) => usableModel(models, name));
  const directory = workingDirectory(request, [model, ...fallbacks], actor, models);
  if (request.worktree && directory !== undefined) await needs.worktrees.require(directory);
  const system = request.system ?? before?.system;
  const job: NewJob = {
    type: 'llm',
    payload: {
      prompt: request.task_description,
      ...(system === undefined ? {} : { system }),
      model: model.requested,
      fallback_models: fallbacks.map((fallback) => fallback.requested),
      params: JSON.parse(JSON.stringify(request.model_params ?? {})),
      ...(request.task_id === undefined ? {} : { must_be_whole: true }),
      ...(request.verify === false ? { verify: false } : {}),
      ...(request.continue_from === undefined ? {} : { continue_from: request.continue_from }),
      ...placeOf(directory ?? before?.directory, request.worktree, model, models),
    },
    requires: model.provider,
    ...sharesOf(request, needs),
    requestedModel: model.requested,
    warnings: model.warnings,
    priority: request.priority,
    dependsOn: before ? [...(request.depends_on ?? []), before.id] : request.depends_on,
    maxAttempts: request.max_attempts,
    timeoutSeconds: request.timeout_seconds,
    runAt: request.run_at,
    delayMs: delayOf(request),
    tokenBudget: request.token_budget,
    budgetMicros: budgetOf(request),
    idempotencyKey: request.idempotency_key,
    task: request.task_id,
  };
  return { job, providers: [model, ...fallbacks].map(({ provider }) => provider) };
}

export const delayOf = ({ delay_seconds: seconds }: { delay_seconds?: number | undefined }): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000;

/** What a CLI is told of its place. Its session is kept, so that another prompt can continue it. */
function placeOf(directory: string | undefined, worktree: boolean | undefined, model: ResolvedModel, models: Models) {
  if (models.provider(model.provider).directories === undefined) return {};
  return {
    keep_session: true,
    ...(directory === undefined ? {} : { working_directory: directory }),
    ...(worktree ? { worktree } : {}),
  };
}

/** The background task to continue. Throws `conflict` if it has ended without an answer, and `invalid` for another job. */
async function continuedJob(id: string, jobs: Pick<Jobs, 'get'>) {
  const job = await jobs.get(id);
  if (job.type !== 'llm') {
    throw new RuntimeError(
      'invalid',
      `Job ${id} is of type ${job.type} and has no conversation.`,
      'Name a background task.',
    );
  }
  if (job.status === 'failed' || job.status === 'cancelled') {
    throw new RuntimeError(
      'conflict',
      `Task ${id} is ${job.status} and has no answer to continue from.`,
      'Call retry_task with its id first, or continue from the one before it.',
    );
  }
  const { model, system, working_directory: directory } = llmPayload.parse(job.payload);
  return { id, model, system, directory };
}

/** Runs a job again. Only jobs of type `llm` can be given another model; throws `invalid` for others. */
export async function retryLlmJob(
  request: {
    task_id: string;
    model?: string | undefined;
    token_budget?: number | undefined;
    budget_usd?: number | undefined;
  },
  actor: Actor,
  { models, jobs }: LlmRequestNeeds,
): Promise<Job> {
  const { token_budget: tokenBudget } = request;
  const budgetMicros = budgetOf(request);
  if (request.model === undefined) return jobs.retry(request.task_id, { tokenBudget, budgetMicros }, actor);
  const model = usableModel(models, request.model);
  const job = await jobs.get(request.task_id);
  if (job.type !== 'llm') {
    throw new RuntimeError(
      'invalid',
      `Job ${job.id} is of type ${job.type} and has no model to change.`,
      'Leave model out.',
    );
  }
  const payload = { ...llmPayload.parse(job.payload), model: model.requested };
  const options = {
    payload: JSON.stringify(payload),
    requires: model.provider,
    requestedModel: model.requested,
    tokenBudget,
    budgetMicros,
  };
  return jobs.retry(request.task_id, options, actor);
}

const budgetOf = ({ budget_usd: usd }: { budget_usd?: number | undefined }): Micros | undefined =>
  usd === undefined ? undefined : microsOf(usd);

/** Throws `invalid` or `not_configured` for a model that no call could reach. */
export function usableModel(models: Models, name: string | undefined): ResolvedModel {
  const model = models.resolve(name);
  models.provider(model.provider);
  return model;
}
