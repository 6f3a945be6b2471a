import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { Budget, Money } from '../../core/budget/ledger.js';
import type { GoalDetail, GoalWithProgress } from '../../core/goals/goals.js';
import { goalStatuses } from '../../core/tasks/goal.js';
import { taskStatuses } from '../../core/tasks/task.js';
import { iso, jsonObject } from '../call/fields.js';
import { cutWithCount } from '../call/page.js';
import { moneyFields, showMoney } from './cost.js';
import { usualText } from './task.js';

/** Tokens that background work for a goal has used, of the most it may use. */
export const tokensOutput = z.strictObject({
  /** null: counted, not limited. */
  budget: z.int().nullable(),
  spent: z.int(),
  reserved: z.int(),
  ...moneyFields,
});

export type ShownTokens = z.infer<typeof tokensOutput>;

/** @internal */
export function showTokens({ cap, spent, reserved }: Budget, money: Money): ShownTokens {
  return { budget: cap, spent, reserved, ...showMoney(money, spent > 0) };
}

/** A goal as every tool returns it. The first keys are always there, the others where they say something. */
export const goalOutput = z.strictObject({
  id: z.int(),
  name: z.string(),
  description: z.string(),
  status: z.enum(goalStatuses),
  created_at: z.string(),
  updated_at: z.string(),
  completed_at: z.string().nullable(),
  metadata: jsonObject,
  project: z.string().optional(),
  /** How many of its tasks are in which state. */
  progress: z.record(z.enum(['total', ...taskStatuses]), z.int()),
  /** The longest chain of open tasks, in order. */
  critical_path: z.array(z.int()).optional(),
  /** The run that works on it now; `cancel_task` stops it. */
  run_id: z.string().optional(),
  tokens: tokensOutput.optional(),
});

/** A goal. Times are ISO 8601 in UTC. */
export type ShownGoal = z.infer<typeof goalOutput>;

/** @internal */
export function showGoal(goal: GoalDetail, longestText = usualText): ShownGoal {
  const { budget, money } = goal;
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
    ...(budget.cap === null && budget.spent === 0 && money.cap === null && money.spent === 0
      ? {}
      : { tokens: showTokens(budget, money) }),
  };
}

/** A goal after a change: not what its caller has just sent, but how it stands. */
export const changedGoalOutput = goalOutput
  .pick({ id: true, status: true, progress: true, tokens: true })
  .extend({ note: z.string().optional() });

/** @internal */
export function showChangedGoal(goal: GoalDetail): z.infer<typeof changedGoalOutput> {
  const { id, status, progress, tokens } = showGoal(goal);
  const { cancelled } = progress;
  const isIdle = status === 'active' && cancelled > 0 && progress.pending + progress.in_progress === 0;
  const note = isIdle
    ? `${cancelled} of its tasks stay cancelled; set to pending those that are to be done.`
    : undefined;
  return { id, status, progress, tokens, note };
}

/** Enough of a goal to choose one from a list. */
export const briefGoalOutput = z.strictObject({
  id: z.int(),
  name: z.string(),
  status: z.enum(goalStatuses),
  /** Completed of all tasks, such as 3/7. */
  done: z.string(),
  failed: z.int().optional(),
});

/** @internal */
export function showGoalBriefly(goal: GoalWithProgress, longestName: number): z.infer<typeof briefGoalOutput> {
  const { total, completed, failed } = goal.progress;
  return {
    id: goal.id,
    name: cut(goal.name, longestName),
    status: goal.status,
    done: `${completed}/${total}`,
    failed: failed > 0 ? failed : undefined,
  };
}

/** A goal in a full list: its row and progress, without budget, critical path and run, which take a query each. @internal */
export function showListedGoal(goal: GoalWithProgress): ShownGoal {
  return showGoal({
    ...goal,
    budget: { account: '', cap: null, spent: 0, reserved: 0 },
    money: { account: '', cap: null, spent: 0, reserved: 0, unpriced: 0 },
    criticalPath: undefined,
    runId: undefined,
  });
}
