import { z } from 'zod';
import type { GoalProgress as GoalWithSummary } from '../../core/overview/goals.js';
import { goalStatuses } from '../../core/tasks/goal.js';
import { iso } from '../../tools/call/fields.js';
import { tokensOutput } from '../../tools/shapes/goal.js';
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

export function showGoalProgress({ summary, budget, ...goal }: GoalWithSummary): GoalProgress {
  return {
    id: goal.id,
    name: goal.name,
    description: goal.description,
    status: goal.status,
    project: goal.project === '' ? undefined : goal.project,
    created_at: iso(goal.createdAt),
    completed_at: iso(goal.completedAt) ?? undefined,
    ...summary,
    tokens: { budget: budget.cap, spent: budget.spent, reserved: budget.reserved },
  };
}

/** `goals`: a page of goals. */
export const goalPage = z.strictObject({ goals: z.array(goalProgress), next_cursor: z.string().optional() });

export type GoalPage = z.infer<typeof goalPage>;

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
