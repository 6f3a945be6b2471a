import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { GoalDetail, GoalWithProgress } from '../../core/goals/goals.js';
import { iso } from '../call/fields.js';
import { cutWithCount } from '../call/page.js';
import { usualText } from './task.js';

const progressOutput = z.object({
  total: z.int(),
  completed: z.int(),
  in_progress: z.int(),
  pending: z.int(),
  failed: z.int(),
  cancelled: z.int(),
});

/** A goal as every tool returns it: the source's keys always, ours where they say something. */
export const goalOutput = z.object({
  id: z.int(),
  name: z.string(),
  description: z.string(),
  status: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  completed_at: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  project: z.string().optional(),
  progress: progressOutput,
  critical_path: z.array(z.int()).optional().describe('The longest chain of open tasks, in order.'),
  run_id: z.string().optional().describe('The run that works on it now; cancel_task stops it.'),
  tokens: z.object({ budget: z.int().nullable(), spent: z.int(), reserved: z.int() }).optional(),
});

export function showGoal(goal: GoalDetail, longestText = usualText): z.input<typeof goalOutput> {
  const { budget } = goal;
  return {
    id: goal.id,
    name: goal.name,
    description: cutWithCount(goal.description, longestText),
    status: goal.status,
    created_at: iso(goal.createdAt),
    updated_at: iso(goal.updatedAt),
    completed_at: iso(goal.completedAt),
    metadata: goal.metadata,
    project: goal.project === '' ? undefined : goal.project,
    progress: goal.progress,
    critical_path: goal.criticalPath && goal.criticalPath.length > 0 ? goal.criticalPath.slice(0, 50) : undefined,
    run_id: goal.runId,
    ...(budget.cap === null && budget.spent === 0
      ? {}
      : { tokens: { budget: budget.cap, spent: budget.spent, reserved: budget.reserved } }),
  };
}

export const briefGoalOutput = z.object({
  id: z.int(),
  name: z.string(),
  status: z.string(),
  done: z.string().describe('Completed of all tasks.'),
  failed: z.int().optional(),
});

export function showGoalBriefly(goal: GoalWithProgress): z.input<typeof briefGoalOutput> {
  const { total, completed, failed } = goal.progress;
  return {
    id: goal.id,
    name: cut(goal.name, 60),
    status: goal.status,
    done: `${completed}/${total}`,
    failed: failed > 0 ? failed : undefined,
  };
}

/** A goal in a full list: its row and progress, without the figures that need a search. */
export function showListedGoal(goal: GoalWithProgress): z.input<typeof goalOutput> {
  return showGoal({
    ...goal,
    budget: { account: '', cap: null, spent: 0, reserved: 0 },
    criticalPath: undefined,
    runId: undefined,
  });
}
