import { microsOf } from '../base/money.js';
import type { Actor } from '../core/actor.js';
import type { GoalRuns } from '../core/goal-runs/goal-runs.js';
import type { Goals } from '../core/goals/goals.js';
import type { Job } from '../core/jobs/job.js';
import type { Models, ResolvedModel } from '../llm/index.js';
import type { Jobs } from '../runner/jobs.js';
import type { Worktrees } from '../worktrees/worktrees.js';
import { type BreakerNeeds, breakerWarning } from './breaker-warning.js';
import { usableModel } from './model-request.js';
import { workingDirectory } from './working-directory.js';

export interface RunRequest {
  goal_id: number;
  model?: string | undefined;
  concurrency: number;
  token_budget?: number | undefined;
  /** US dollars. */
  budget_usd?: number | undefined;
  verify?: boolean | undefined;
  worktree?: boolean | undefined;
}

export interface RunGoalNeeds extends BreakerNeeds {
  models: Models;
  goalRuns: Pick<GoalRuns, 'start'>;
  jobs: Pick<Jobs, 'fill'>;
  goals: Pick<Goals, 'get'>;
  worktrees: Pick<Worktrees, 'require'>;
}

/**
 * Starts background jobs that work through a goal. Throws `invalid` for an unknown model, `not_configured` for a
 * missing key or, with `worktree`, a missing repository, before anything is stored. `warnings` are those of the run, and the open breaker that its jobs wait for.
 */
export async function startGoalRun(
  request: RunRequest,
  actor: Actor,
  needs: RunGoalNeeds,
): Promise<{ run: Job; isRepeated: boolean; warnings: string[] }> {
  const { models, goalRuns, jobs } = needs;
  const model = usableModel(models, request.model);
  const directory = request.worktree ? await repositoryOf(request.goal_id, model, actor, needs) : undefined;
  const started = await goalRuns.start(
    {
      goalId: request.goal_id,
      model: model.requested,
      requires: model.provider,
      concurrency: request.concurrency,
      tokenBudget: request.token_budget,
      budgetMicros: request.budget_usd === undefined ? undefined : microsOf(request.budget_usd),
      verify: request.verify,
      worktreesOf: directory,
      warnings: model.warnings,
    },
    actor,
  );
  await jobs.fill(actor);
  const waiting = await breakerWarning([`llm:${model.provider}`], needs);
  return { ...started, warnings: [...started.run.warnings, ...(waiting === undefined ? [] : [waiting])] };
}

/** The directory whose repository the worktrees are of: that of the goal's project, or of the caller's. */
async function repositoryOf(
  goalId: number,
  model: ResolvedModel,
  actor: Actor,
  { models, goals, worktrees }: Pick<RunGoalNeeds, 'models' | 'goals' | 'worktrees'>,
): Promise<string | undefined> {
  const { project } = await goals.get(goalId);
  const place = { ...actor, project: project === '' ? actor.project : project };
  const directory = workingDirectory({ worktree: true }, [model], place, models);
  if (directory !== undefined) await worktrees.require(directory);
  return directory;
}
