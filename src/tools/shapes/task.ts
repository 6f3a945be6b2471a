import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { TaskWithDependencies } from '../../core/tasks/list-tasks.js';
import { isOverdue, isReady } from '../../core/tasks/task.js';
import type { ClaimedTask } from '../../core/tasks/tasks.js';
import { iso } from '../call/fields.js';
import { cutWithCount } from '../call/page.js';

/** A task as every tool returns it: the source's keys always, ours where they say something. */
export const taskOutput = z.object({
  id: z.int(),
  goal_id: z.int().nullable(),
  title: z.string(),
  description: z.string(),
  status: z.string(),
  priority: z.int(),
  dependencies: z.array(z.int()),
  created_at: z.string(),
  updated_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  result: z.string().nullable(),
  error: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  key: z.string().optional(),
  project: z.string().optional(),
  ready: z.boolean().optional(),
  overdue: z.boolean().optional(),
  skipped: z.boolean().optional(),
  acceptance: z.string().optional(),
  expected_output: z.string().optional(),
  deadline: z.string().optional(),
  not_before: z.string().optional(),
  on_dependency_failure: z.string().optional(),
  attempts: z.int(),
  max_attempts: z.int(),
  tokens_used: z.int().optional(),
  claimed_by: z.string().optional(),
  worker_id: z.string().optional(),
  lease_expires_at: z.string().optional(),
});

export type ShownTask = z.input<typeof taskOutput>;

/** Texts longer than this are cut unless the caller asks for all of it. */
export const usualText = 6_000;

export function showTask(task: TaskWithDependencies, now: number, longestText = usualText): ShownTask {
  const shown = (text: string) => cutWithCount(text, longestText);
  return {
    id: task.id,
    goal_id: task.goalId,
    title: task.title,
    description: shown(task.description),
    status: task.status,
    priority: task.priority,
    dependencies: task.dependencies,
    created_at: iso(task.createdAt),
    updated_at: iso(task.updatedAt),
    started_at: iso(task.startedAt),
    completed_at: iso(task.completedAt),
    result: task.result === null ? null : shown(task.result),
    error: task.error,
    metadata: task.metadata,
    attempts: task.attempts,
    max_attempts: task.maxAttempts,
    key: task.key ?? undefined,
    project: task.project === '' ? undefined : task.project,
    ready: task.status === 'pending' ? isReady(task, now) : undefined,
    overdue: isOverdue(task, now) ? true : undefined,
    skipped: task.isSkipped ? true : undefined,
    acceptance: task.acceptance ?? undefined,
    expected_output: task.expectedOutput ?? undefined,
    deadline: task.deadlineAt === null ? undefined : iso(task.deadlineAt),
    not_before: task.notBefore === null ? undefined : iso(task.notBefore),
    on_dependency_failure: task.onDependencyFailure === 'block' ? undefined : task.onDependencyFailure,
    tokens_used: task.tokensUsed === 0 ? undefined : task.tokensUsed,
    claimed_by: task.claimedBy ?? undefined,
    worker_id: task.workerId ?? undefined,
    lease_expires_at: task.leaseExpiresAt === null ? undefined : iso(task.leaseExpiresAt),
  };
}

export const dependencyResults = z.array(
  z.object({ id: z.int(), title: z.string(), status: z.string(), result: z.string().nullable() }),
);

/** A task that was just claimed, with what its worker needs: the token, and what the tasks before it left. */
export function showClaimedTask(task: ClaimedTask, now: number) {
  return {
    ...showTask(task, now),
    claim_token: task.claimToken,
    dependency_results: task.dependencyResults.slice(0, 50).map((dependency) => ({
      ...dependency,
      title: cut(dependency.title, 80),
      result: dependency.result === null ? null : cutWithCount(dependency.result, 1_500),
    })),
  };
}

/** Enough to choose one from a list. */
export const briefTaskOutput = z.object({
  id: z.int(),
  key: z.string().optional(),
  title: z.string(),
  status: z.string(),
  priority: z.int(),
  goal_id: z.int().optional(),
  waits_for: z.int().optional().describe('How many dependencies are not done.'),
  overdue: z.boolean().optional(),
  worker: z.string().optional(),
});

export function showTaskBriefly(task: TaskWithDependencies, now: number): z.input<typeof briefTaskOutput> {
  return {
    id: task.id,
    key: task.key ?? undefined,
    title: cut(task.title, 60),
    status: task.status,
    priority: task.priority,
    goal_id: task.goalId ?? undefined,
    waits_for: task.status === 'pending' && task.unfinishedDependencies > 0 ? task.unfinishedDependencies : undefined,
    overdue: isOverdue(task, now) ? true : undefined,
    worker: task.status === 'in_progress' ? (task.workerId ?? task.claimedBy ?? '') : undefined,
  };
}
