import { z } from 'zod';
import { jobStatuses } from '../../core/jobs/job.js';
import type { GoalRun } from '../../core/overview/goal-run.js';
import type { GoalProgress as GoalWithSummary } from '../../core/overview/goals.js';
import { goalStatuses } from '../../core/tasks/goal.js';
import { iso, mark, whenTrue } from '../../tools/call/fields.js';
import { showTokens, tokensOutput } from '../../tools/shapes/goal.js';
import { withNames } from './names.js';
import { taskCard, taskSummary } from './tasks.js';

/** A goal as the page's lists show it. Times are ISO 8601. */
export const goalProgress = taskSummary.extend({
  id: z.int(),
  name: z.string(),
  description: z.string(),
  status: z.enum(goalStatuses),
  project: z.string().optional(),
  created_at: z.string(),
  completed_at: z.string().optional(),
  tokens: tokensOutput,
});

export type GoalProgress = z.infer<typeof goalProgress>;

export function showGoalProgress({ summary, budget, money, ...goal }: GoalWithSummary): GoalProgress {
  return {
    id: goal.id,
    name: goal.name,
    description: goal.description,
    status: goal.status,
    project: goal.project === '' ? undefined : goal.project,
    created_at: iso(goal.createdAt),
    completed_at: iso(goal.completedAt) ?? undefined,
    ...summary,
    tokens: showTokens(budget, money),
  };
}

/** `goals`: a page of goals. */
export const goalPage = z.strictObject({ goals: z.array(goalProgress), next_cursor: z.string().optional() });

export type GoalPage = z.infer<typeof goalPage>;

/** `goal_run`: the last run of a goal, which may be under way; nothing for one that was never run. Times are ISO 8601. */
export const goalRun = z.strictObject({
  run: z
    .strictObject({
      id: z.string(),
      status: z.enum(jobStatuses),
      model: z.string(),
      concurrency: z.int(),
      paused: mark,
      cancel_requested: mark,
      /** From 0 to 1. */
      progress: z.number().optional(),
      message: z.string().optional(),
      started_at: z.string().optional(),
      completed_at: z.string().optional(),
      error: z.string().optional(),
      /** The jobs of its tasks that are open, those at work first. */
      jobs: z.array(
        z.strictObject({
          id: z.string(),
          status: z.enum(jobStatuses),
          task_id: z.int(),
          title: z.string(),
          started_at: z.string().optional(),
        }),
      ),
    })
    .optional(),
});

export type ShownGoalRun = z.infer<typeof goalRun>;

export function showGoalRun(run: GoalRun | undefined): ShownGoalRun {
  if (!run) return {};
  return {
    run: {
      id: run.id,
      status: run.status,
      model: run.model,
      concurrency: run.concurrency,
      paused: whenTrue(run.isPaused),
      cancel_requested: whenTrue(run.isCancelRequested),
      progress: run.progress ?? undefined,
      message: run.message ?? undefined,
      started_at: iso(run.startedAt) ?? undefined,
      completed_at: iso(run.completedAt) ?? undefined,
      error: run.error ?? undefined,
      jobs: run.jobs.map(({ id, status, taskId, title, startedAt }) => ({
        id,
        status,
        task_id: taskId,
        title,
        started_at: iso(startedAt) ?? undefined,
      })),
    },
  };
}

/** `goal_graph`: a goal's tasks and their dependencies. */
export const goalGraph = z.strictObject({
  nodes: z.array(taskCard),
  /** From a dependency to its dependent. */
  edges: z.array(z.tuple([z.int(), z.int()])),
  critical_path: z.array(z.int()),
  /** The number of tasks of the goal, drawn or not. */
  total: z.int(),
  ...withNames,
});

export type GoalGraph = z.infer<typeof goalGraph>;
