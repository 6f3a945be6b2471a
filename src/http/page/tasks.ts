import { z } from 'zod';
import { jobStatuses } from '../../core/jobs/job.js';
import { type BoardTask, boardStates } from '../../core/overview/board.js';
import type { ChangedTasks } from '../../services/change-tasks.js';
import { iso, mark, whenTrue } from '../../tools/call/fields.js';
import { withNames } from './names.js';

const state = z.enum(boardStates);

/** The states that people see: a pending task is ready or waiting. */
export type TaskState = z.infer<typeof state>;

/** A task as the page's cards and lists show it; fields that say nothing are left out. Times are ISO 8601. */
export const taskCard = z.strictObject({
  id: z.int(),
  key: z.string().optional(),
  title: z.string(),
  state,
  priority: z.int(),
  goal_id: z.int().optional(),
  project: z.string().optional(),
  /** Dependencies that are not done, and those of them that failed. */
  waits_for: z.int().optional(),
  failed_dependencies: z.int().optional(),
  not_before: z.string().optional(),
  deadline: z.string().optional(),
  overdue: mark,
  skipped: mark,
  worker: z.string().optional(),
  /** When the present claim was made. */
  claimed_at: z.string().optional(),
  lease_expires_at: z.string().optional(),
  attempts: z.int(),
  max_attempts: z.int(),
  error: z.string().optional(),
  completed_at: z.string().optional(),
});

export type TaskCard = z.infer<typeof taskCard>;

export function showCard(task: BoardTask): TaskCard {
  return {
    id: task.id,
    key: task.key ?? undefined,
    title: task.title,
    state: task.state,
    priority: task.priority,
    goal_id: task.goalId ?? undefined,
    project: task.project === '' ? undefined : task.project,
    waits_for: task.waitsFor === 0 ? undefined : task.waitsFor,
    failed_dependencies: task.failedDependencies === 0 ? undefined : task.failedDependencies,
    not_before: iso(task.notBefore) ?? undefined,
    deadline: iso(task.deadlineAt) ?? undefined,
    overdue: whenTrue(task.isOverdue),
    skipped: whenTrue(task.isSkipped),
    worker: task.worker ?? undefined,
    claimed_at: iso(task.claimedAt) ?? undefined,
    lease_expires_at: iso(task.leaseExpiresAt) ?? undefined,
    attempts: task.attempts,
    max_attempts: task.maxAttempts,
    error: task.error ?? undefined,
    completed_at: iso(task.completedAt) ?? undefined,
  };
}

export const showCards = (tasks: readonly BoardTask[]): TaskCard[] => tasks.map(showCard);

/** How many tasks are in each state: of all that are meant, not of a page of them. */
export const taskSummary = z.strictObject({
  counts: z.record(state, z.int()),
  /** Open ones whose deadline has passed. */
  overdue: z.int(),
});

export type TaskSummary = z.infer<typeof taskSummary>;

/** `board`: the tasks by state, the first of each. */
export const board = taskSummary.extend({ columns: z.record(state, z.array(taskCard)), ...withNames });

export type Board = z.infer<typeof board>;

/** `tasks`: a page of the board as a list. */
export const taskPage = taskSummary.extend({
  tasks: z.array(taskCard),
  next_cursor: z.string().optional(),
  ...withNames,
});

export type TaskPage = z.infer<typeof taskPage>;

/** `board_choices`: what the board can be filtered by. */
export const boardChoices = z.strictObject({
  goals: z.array(z.strictObject({ id: z.int(), name: z.string(), status: z.string() })),
  projects: z.array(z.string()),
  workers: z.array(z.string()),
});

export type BoardChoices = z.infer<typeof boardChoices>;

/** `task_links`: the tasks on both sides of a task. */
export const taskLinks = z.strictObject({
  dependencies: z.array(taskCard),
  dependents: z.array(taskCard),
  goal_name: z.string().optional(),
  /** The jobs that work or have worked on it, the newest first. */
  jobs: z.array(
    z.strictObject({ id: z.string(), type: z.string(), status: z.enum(jobStatuses), created_at: z.string() }),
  ),
});

export type TaskLinks = z.infer<typeof taskLinks>;

/** What `change_tasks` does to each task. */
export const taskChanges = ['reopen', 'cancel', 'priority', 'goal'] as const;

/** `change_tasks`: what was done. */
export const changedTasks = z.strictObject({
  done: z.array(z.int()),
  refused: z.array(z.strictObject({ id: z.int(), title: z.string(), message: z.string() })),
  /** Calls of `change_tasks` that undo it; empty where the store cannot bring back what was. */
  undo: z.array(
    z.strictObject({
      change: z.enum(taskChanges),
      priority: z.int().optional(),
      goal_id: z.int().nullable().optional(),
      task_ids: z.array(z.int()),
    }),
  ),
  /** Of a filter with more tasks: the cursor of the next call. */
  next_cursor: z.string().optional(),
});

export type ShownChangedTasks = z.infer<typeof changedTasks>;

export function showChangedTasks({ done, refused, undo, nextBeforeId }: ChangedTasks): ShownChangedTasks {
  return {
    done,
    refused,
    undo: undo.map(({ ids, ...step }) => ({
      change: step.change,
      ...(step.change === 'priority' ? { priority: step.priority } : {}),
      ...(step.change === 'goal' ? { goal_id: step.goalId } : {}),
      task_ids: ids,
    })),
    next_cursor: nextBeforeId === undefined ? undefined : String(nextBeforeId),
  };
}
