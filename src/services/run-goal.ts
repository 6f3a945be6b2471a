import type { Actor } from '../core/actor.js';
import type { GoalRuns } from '../core/goal-runs/goal-runs.js';
import type { Job } from '../core/jobs/job.js';
import type { Models } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import { type BreakerNeeds, breakerWarning } from './breaker-warning.js';
import { usableModel } from './model-request.js';

export interface RunRequest {
  goal_id: number;
  model?: string | undefined;
  concurrency: number;
  token_budget?: number | undefined;
  verify?: boolean | undefined;
}

export interface RunGoalNeeds extends BreakerNeeds {
  models: Models;
  goalRuns: Pick<GoalRuns, 'start'>;
  jobs: Pick<Jobs, 'fill'>;
}

/**
 * Starts background jobs that work through a goal. Throws `invalid` for an unknown model and `not_configured` for a
 * missing key before anything is stored. `warnings` are those of the run, and the open breaker that its jobs wait for.
 */
export async function startGoalRun(
  request: RunRequest,
  actor: Actor,
  needs: RunGoalNeeds,
): Promise<{ run: Job; isRepeated: boolean; warnings: string[] }> {
  const { models, goalRuns, jobs } = needs;
  const model = usableModel(models, request.model);
  const started = await goalRuns.start(
    {
      goalId: request.goal_id,
      model: model.requested,
      requires: model.provider,
      concurrency: request.concurrency,
      tokenBudget: request.token_budget,
      verify: request.verify,
      warnings: model.warnings,
    },
    actor,
  );
  await jobs.fill(actor);
  const waiting = await breakerWarning([`llm:${model.provider}`], needs);
  return { ...started, warnings: [...started.run.warnings, ...(waiting === undefined ? [] : [waiting])] };
}
