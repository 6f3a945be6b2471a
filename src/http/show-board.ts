import type { BoardTask } from '../core/overview/board.js';
import type { GoalProgress } from '../core/overview/goals.js';
import { iso } from '../tools/call/fields.js';

/** A task as the page's cards have it: what says nothing is left out. */
export interface TaskCard {
  id: number;
  key?: string;
  title: string;
  state: string;
  priority: number;
  goal_id?: number;
  project?: string;
  waits_for?: number;
  failed_dependencies?: number;
  not_before?: string;
  deadline?: string;
  overdue?: true;
  skipped?: true;
  worker?: string;
  claimed_at?: string;
  lease_expires_at?: string;
  attempts: number;
  max_attempts: number;
  error?: string;
  completed_at?: string;
}

export function showCard(task: BoardTask): TaskCard {
  return {
    id: task.id,
    ...(task.key === null ? {} : { key: task.key }),
    title: task.title,
    state: task.state,
    priority: task.priority,
    ...(task.goalId === null ? {} : { goal_id: task.goalId }),
    ...(task.project === '' ? {} : { project: task.project }),
    ...(task.waitsFor === 0 ? {} : { waits_for: task.waitsFor }),
    ...(task.failedDependencies === 0 ? {} : { failed_dependencies: task.failedDependencies }),
    ...time('not_before', task.notBefore),
    ...time('deadline', task.deadlineAt),
    ...(task.isOverdue ? { overdue: true } : {}),
    ...(task.isSkipped ? { skipped: true } : {}),
    ...(task.worker === null ? {} : { worker: task.worker }),
    ...time('claimed_at', task.claimedAt),
    ...time('lease_expires_at', task.leaseExpiresAt),
    attempts: task.attempts,
    max_attempts: task.maxAttempts,
    ...(task.error === null ? {} : { error: task.error }),
    ...time('completed_at', task.completedAt),
  };
}

export function showGoalLine({ summary, budget, ...goal }: GoalProgress) {
  return {
    id: goal.id,
    name: goal.name,
    description: goal.description,
    status: goal.status,
    ...(goal.project === '' ? {} : { project: goal.project }),
    created_at: iso(goal.createdAt),
    ...time('completed_at', goal.completedAt),
    ...summary,
    tokens: { budget: budget.cap, spent: budget.spent, reserved: budget.reserved },
  };
}

function time<Name extends string>(name: Name, ms: number | null): { [Key in Name]?: string } {
  return ms === null ? {} : ({ [name]: iso(ms) } as { [Key in Name]: string });
}
