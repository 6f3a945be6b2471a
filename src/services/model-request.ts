import { llmPayload } from '../agents/llm.js';
import { RuntimeError } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import { hasEnded, type Job } from '../core/jobs/job.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { ModelParams } from '../core/ports.js';
import { requireUsableSchema } from '../core/relay/output-schema.js';
import type { TaskReference } from '../core/tasks/task.js';
import type { Models, ResolvedModel } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import { type BreakerNeeds, breakerWarning } from './breaker-warning.js';

export interface LlmRequest {
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
  idempotency_key?: string | undefined;
  task_id?: TaskReference | undefined;
  verify?: boolean | undefined;
}

export interface LlmRequestNeeds {
  models: Models;
  jobs: Pick<Jobs, 'get' | 'submit' | 'retry'>;
}

export type LlmSubmitNeeds = LlmRequestNeeds & BreakerNeeds;

/**
 * Submits a prompt as a job of type `llm`. Throws `invalid` for an unknown model and `not_configured` for a missing key,
 * naming what to set: here the caller sees it, in the background it would not; and `invalid` for a
 * json_schema that cannot be checked. `warnings` are those of the job, and the
 * open breakers that it waits for.
 */
export async function submitLlmJob(request: LlmRequest, actor: Actor, needs: LlmSubmitNeeds) {
  const { models, jobs } = needs;
  const model = usableModel(models, request.model);
  const schema = request.model_params?.json_schema;
  if (schema) await requireUsableSchema(schema as JsonObject, 'model_params.json_schema');
  const fallbacks = (request.fallback_models ?? []).map((name) => usableModel(models, name));
  const job: NewJob = {
    type: 'llm',
    payload: {
      prompt: request.task_description,
      ...(request.system === undefined ? {} : { system: request.system }),
      model: model.requested,
      fallback_models: fallbacks.map((fallback) => fallback.requested),
      params: JSON.parse(JSON.stringify(request.model_params ?? {})),
      ...(request.task_id === undefined ? {} : { must_be_whole: true }),
      ...(request.verify === false ? { verify: false } : {}),
    },
    requires: model.provider,
    requestedModel: model.requested,
    warnings: model.warnings,
    priority: request.priority,
    dependsOn: request.depends_on,
    maxAttempts: request.max_attempts,
    timeoutSeconds: request.timeout_seconds,
    tokenBudget: request.token_budget,
    idempotencyKey: request.idempotency_key,
    task: request.task_id,
  };
  const submitted = await jobs.submit(job, actor);
  if (hasEnded(submitted.job.status)) return { ...submitted, warnings: submitted.job.warnings };
  const choices = [model, ...fallbacks].map(({ provider }) => `llm:${provider}`);
  const waiting = await breakerWarning(choices, needs);
  return { ...submitted, warnings: [...submitted.job.warnings, ...(waiting === undefined ? [] : [waiting])] };
}

/** Runs a job again. Only jobs of type `llm` can be given another model; throws `invalid` for others. */
export async function retryLlmJob(
  request: { task_id: string; model?: string | undefined; token_budget?: number | undefined },
  actor: Actor,
  { models, jobs }: LlmRequestNeeds,
): Promise<Job> {
  const { token_budget: tokenBudget } = request;
  if (request.model === undefined) return jobs.retry(request.task_id, { tokenBudget }, actor);
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
  };
  return jobs.retry(request.task_id, options, actor);
}

/** Throws `invalid` or `not_configured` for a model that no call could reach. */
export function usableModel(models: Models, name: string | undefined): ResolvedModel {
  const model = models.resolve(name);
  models.provider(model.provider);
  return model;
}
