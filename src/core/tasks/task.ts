import { type JsonObject, readJson } from '../../base/json.js';

export const taskStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/**
 * What becomes of a task when one of its dependencies fails or is cancelled:
 * `block` it waits until the dependency is mended; `skip` it is not done, and those after it go on;
 * `run` it is done all the same; `cancel` it is cancelled, and those after it apply their own policy to that.
 */
export const failurePolicies = ['block', 'skip', 'run', 'cancel'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

export interface TaskRow {
  id: number;
  key: string | null;
  goal_id: number | null;
  project: string;
  title: string;
  description: string;
  acceptance: string | null;
  expected_output: string | null;
  status: TaskStatus;
  priority: number;
  unfinished_dependencies: number;
  failed_dependencies: number;
  on_dependency_failure: FailurePolicy;
  stopped_by: number | null;
  is_skipped: number;
  attempts: number;
  max_attempts: number;
  deadline_at: number | null;
  is_overdue: number;
  not_before: number | null;
  is_held: number;
  claimed_by: string | null;
  worker_id: string | null;
  worker_slot: number | null;
  claim_token: number;
  lease_expires_at: number | null;
  lease_expires_tick: number | null;
  lease_boot_id: string | null;
  result: string | null;
  error: string | null;
  tokens_used: number;
  metadata: string;
  created_by: string | null;
  created_at: number;
  updated_at: number;
  started_at: number | null;
  completed_at: number | null;
}

export interface Task {
  id: number;
  key: string | null;
  goalId: number | null;
  project: string;
  title: string;
  description: string;
  acceptance: string | null;
  expectedOutput: string | null;
  status: TaskStatus;
  /** 1 to 10, 10 first. */
  priority: number;
  unfinishedDependencies: number;
  failedDependencies: number;
  onDependencyFailure: FailurePolicy;
  stoppedBy: number | null;
  isSkipped: boolean;
  attempts: number;
  maxAttempts: number;
  deadlineAt: number | null;
  notBefore: number | null;
  /** Not in the line yet, because of `notBefore`. */
  isHeld: boolean;
  claimedBy: string | null;
  workerId: string | null;
  workerSlot: number | null;
  /** Grows by one with each claim; a write with an older one is refused. */
  claimToken: number;
  leaseExpiresAt: number | null;
  result: string | null;
  error: string | null;
  tokensUsed: number;
  metadata: JsonObject;
  createdAt: number;
  updatedAt: number;
  startedAt: number | null;
  completedAt: number | null;
}

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    key: row.key,
    goalId: row.goal_id,
    project: row.project,
    title: row.title,
    description: row.description,
    acceptance: row.acceptance,
    expectedOutput: row.expected_output,
    status: row.status,
    priority: row.priority,
    unfinishedDependencies: row.unfinished_dependencies,
    failedDependencies: row.failed_dependencies,
    onDependencyFailure: row.on_dependency_failure,
    stoppedBy: row.stopped_by,
    isSkipped: row.is_skipped === 1,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    deadlineAt: row.deadline_at,
    notBefore: row.not_before,
    isHeld: row.is_held === 1,
    claimedBy: row.status === 'in_progress' ? row.claimed_by : null,
    workerId: row.worker_id,
    workerSlot: row.worker_slot,
    claimToken: row.claim_token,
    leaseExpiresAt: row.status === 'in_progress' ? row.lease_expires_at : null,
    result: row.result,
    error: row.error,
    tokensUsed: row.tokens_used,
    metadata: readJson<JsonObject>(row.metadata),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

/** Whether it could be claimed at `now`. */
export function isReady(task: Task, now: number): boolean {
  return (
    task.status === 'pending' && task.unfinishedDependencies === 0 && !(task.isHeld && (task.notBefore ?? 0) > now)
  );
}

export function isOverdue(task: Task, now: number): boolean {
  return (
    task.deadlineAt !== null && task.deadlineAt <= now && (task.status === 'pending' || task.status === 'in_progress')
  );
}
