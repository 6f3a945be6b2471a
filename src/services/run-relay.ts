import { RuntimeError } from '../base/errors.js';
import { microsOf } from '../base/money.js';
import type { Actor } from '../core/actor.js';
import type { ApprovalRequest } from '../core/relay/approval.js';
import type { Advanced } from '../core/relay/end-step.js';
import type { Pipeline, StepModel } from '../core/relay/pipeline.js';
import type { RelayRuns, StartedRun } from '../core/relay/relay-runs.js';
import type { Relays } from '../core/relay/relays.js';
import type { Models } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import { type BreakerNeeds, breakerWarning } from './breaker-warning.js';
import { usableModel } from './model-request.js';

export interface RelayRunRequest {
  pipeline_id: string;
  model?: string | undefined;
  judge_model?: string | undefined;
  token_budget?: number | undefined;
  /** US dollars. */
  budget_usd?: number | undefined;
}

export interface RunRelayNeeds {
  models: Models;
  relays: Pick<Relays, 'get' | 'cancel'>;
  relayRuns: Pick<RelayRuns, 'start' | 'decide'>;
  jobs: Pick<Jobs, 'fill' | 'cancel'>;
}

/**
 * Starts background jobs that work through a relay. A step's own model wins over the one in the request. An unknown model
 * or a missing key, of any step or of the judge, throws `invalid` or `not_configured` before the first step starts.
 * `warnings` name the open breaker that the present step waits for.
 */
export async function startRelayRun(
  request: RelayRunRequest,
  actor: Actor,
  needs: RunRelayNeeds & BreakerNeeds,
): Promise<StartedRun & { warnings: string[] }> {
  const { models, relays, relayRuns, jobs } = needs;
  const { pipeline, steps } = await relays.get(request.pipeline_id);
  const run = {
    pipelineId: request.pipeline_id,
    models: steps.map((step): StepModel | null => {
      if (step.stepIndex < pipeline.currentStep) return null;
      const { requested, provider } = usableModel(models, step.model ?? request.model);
      return { model: requested, provider };
    }),
    judgeModel: usableModel(models, request.judge_model ?? request.model).requested,
    tokenBudget: request.token_budget,
    budgetMicros: request.budget_usd === undefined ? undefined : microsOf(request.budget_usd),
  };
  const started = await relayRuns.start(run, actor);
  await jobs.fill(actor);
  const providers = run.models.flatMap((step) => (step === null ? [] : [`llm:${step.provider}`])).slice(0, 1);
  const waiting = await breakerWarning(providers, needs);
  return { ...started, warnings: waiting === undefined ? [] : [waiting] };
}

/** Cancels a relay for good, with the jobs that work on it. */
export async function cancelRelay(
  pipelineId: string,
  actor: Actor,
  { relays, jobs }: RunRelayNeeds,
): Promise<Pipeline> {
  const { pipeline, jobIds } = await relays.cancel(pipelineId, actor);
  for (const jobId of jobIds) {
    try {
      await jobs.cancel(jobId, actor);
    } catch (error) {
      // The job has ended meanwhile. Its output does not count, as the relay is cancelled.
      if (!(error instanceof RuntimeError) || error.code !== 'conflict') throw error;
    }
  }
  return pipeline;
}

/** A person lets a step pass that waits for one, or sends it back; a run in the background goes on. Throws `conflict`. */
export async function decideRelayStep(
  request: ApprovalRequest,
  actor: Actor,
  { relayRuns, jobs }: Pick<RunRelayNeeds, 'relayRuns' | 'jobs'>,
): Promise<Advanced> {
  const decided = await relayRuns.decide(request, actor);
  await jobs.fill(actor);
  return decided;
}
