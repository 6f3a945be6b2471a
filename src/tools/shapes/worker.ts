import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { ListedSlot } from '../../core/coordination/slots.js';
import type { Unread } from '../../core/messages/messages.js';
import type { TaskWithDependencies } from '../../core/tasks/list-tasks.js';
import { isOverdue, type TaskStatus } from '../../core/tasks/task.js';
import type { ClaimedTask } from '../../core/tasks/tasks.js';
import { iso, mark, whenTrue } from '../call/fields.js';
import { showUnread, unreadOutput } from './message.js';
import {
  adviceOnAcceptance,
  historyOutput,
  longestNote,
  showDependencyResults,
  showHistory,
  usualText,
} from './task.js';
import { showWorktree, worktreeOutput } from './worktree.js';

/** The statuses in the words of the task coordinator, whose tools these were. */
export const statusWords = {
  pending: 'available',
  in_progress: 'working',
  completed: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
} as const satisfies Record<TaskStatus, string>;

export const statusWord = z.enum(Object.values(statusWords));

/** A task with the keys that the task coordinator gave it. */
export const workerTaskOutput = z.strictObject({
  /** Its key, or its number as text. */
  id: z.string(),
  title: z.string(),
  description: z.string(),
  status: statusWord,
  worker: z.string().nullable(),
  dependencies: z.array(z.string()),
  output: z.string().nullable(),
  error: z.string().nullable(),
  startedAt: z.string().optional(),
  completedAt: z.string().optional(),
  /** Its number, where id is a key. */
  number: z.int().optional(),
  priority: z.int(),
  expected_output: z.string().optional(),
  deadline: z.string().optional(),
  overdue: mark,
});

type Keys = ReadonlyMap<number, string>;

export interface ShownFor {
  /** The keys of its dependencies. */
  keys: Keys;
  now: number;
  /** Its texts are cut after so many characters. */
  longest: number;
}

/** A task as workers see it. */
export function showWorkerTask(
  task: TaskWithDependencies,
  { keys, now, longest }: ShownFor,
): z.infer<typeof workerTaskOutput> {
  return {
    id: workerTaskId(task),
    title: cut(task.title, longest),
    description: workerTaskText(task, longest),
    status: statusWords[task.status],
    worker: task.status === 'in_progress' ? (task.workerId ?? task.claimedBy) : null,
    dependencies: task.dependencies.map((id) => keys.get(id) ?? String(id)),
    output: task.result === null ? null : cut(task.result, longest),
    error: task.error === null ? null : cut(task.error, longest),
    startedAt: task.startedAt === null ? undefined : iso(task.startedAt),
    completedAt: task.completedAt === null ? undefined : iso(task.completedAt),
    number: task.key === null ? undefined : task.id,
    priority: task.priority,
    expected_output: task.expectedOutput === null ? undefined : cut(task.expectedOutput, longest),
    deadline: iso(task.deadlineAt) ?? undefined,
    overdue: whenTrue(isOverdue(task, now)),
  };
}

/** A task that the worker of a slot has just claimed, with what that worker needs. */
export const workerClaimOutput = z.strictObject({
  taskId: z.string(),
  workerId: z.string(),
  workerSlot: z.int(),
  title: z.string(),
  description: z.string(),
  claim_token: z.int(),
  lease_expires_at: z.string().nullable(),
  expected_output: z.string().optional(),
  acceptance: z.string().optional(),
  deadline: z.string().optional(),
  overdue: mark,
  /** The results of the tasks before it; `get_task` has those whole that are cut after 1,500 characters. */
  dependency_results: z.array(
    z.strictObject({ id: z.string(), title: z.string(), status: statusWord, result: z.string().nullable() }),
  ),
  ...historyOutput,
  /** Work in its directory. */
  worktree: worktreeOutput.optional(),
  /** What to do before reporting on it. */
  advice: z.string().optional(),
  ...unreadOutput,
});

type WorkerClaim = z.infer<typeof workerClaimOutput>;

interface ClaimedFor extends Pick<ShownFor, 'keys' | 'now'> {
  workerId: string;
  workerSlot: number;
  unread: Unread;
}

/** @internal */
export function showWorkerClaim(
  task: ClaimedTask,
  { keys, now, workerId, workerSlot, unread }: ClaimedFor,
): WorkerClaim {
  return {
    taskId: workerTaskId(task),
    workerId,
    workerSlot,
    title: task.title,
    description: workerTaskText(task, usualText),
    claim_token: task.claimToken,
    lease_expires_at: iso(task.leaseExpiresAt),
    expected_output: task.expectedOutput ?? undefined,
    acceptance: task.acceptance ?? undefined,
    deadline: iso(task.deadlineAt) ?? undefined,
    overdue: whenTrue(isOverdue(task, now)),
    dependency_results: showDependencyResults(task.dependencyResults).map(({ id, status, ...result }) => ({
      ...result,
      id: keys.get(id) ?? String(id),
      status: statusWords[status],
    })),
    ...showHistory(task.history, longestNote),
    worktree: showWorktree(task.worktree),
    advice: adviceOnAcceptance(task),
    ...showUnread(unread),
  };
}

/** The same in words, behind the sentence that the task coordinator answered with. @internal */
export function describeWorkerClaim(claim: WorkerClaim): string {
  const { title, description, lease_expires_at, dependency_results, notes, earlier_attempts } = claim;
  const lines = [
    `Title: ${title}`,
    `Description: ${description}`,
    claim.expected_output && `Expected output: ${claim.expected_output}`,
    claim.acceptance && `Acceptance: ${claim.acceptance}`,
    claim.deadline && `Deadline: ${claim.deadline}${claim.overdue ? ' (overdue)' : ''}`,
    ...dependency_results.map(({ id, status, result }) => `Result of ${id} (${status}): ${result ?? 'none'}`),
    ...(notes ?? []).map(({ at, note }) => `Note of ${at}: ${note}`),
    ...(earlier_attempts ?? []).map(({ outcome, ended_at, error }) => {
      return `Earlier attempt: ${outcome} at ${ended_at}${error ? `: ${error}` : ''}`;
    }),
    claim.worktree && `Worktree: ${claim.worktree.path} (branch ${claim.worktree.branch})`,
    claim.advice,
    claim.unread_messages &&
      `Unread messages: ${claim.unread_messages} (get_messages), ${claim.unread_subjects?.join('; ')}`,
    `claim_token: ${claim.claim_token}${lease_expires_at === null ? '' : `, until ${lease_expires_at}`}`,
  ];
  return lines.filter(Boolean).join('\n');
}

/** The id by which workers know a task: its key, or its number. */
export const workerTaskId = ({ key, id }: { key: string | null; id: number }): string => key ?? String(id);

export const workerTaskText = ({ description, title }: { description: string; title: string }, longest: number) =>
  cut(description === '' ? title : description, longest);

/** A worker slot, held or free. */
export const workerOutput = z.strictObject({
  slot: z.int(),
  workerId: z.string().nullable(),
  active: z.boolean(),
  /** The id by which workers know the task: its key, or its number. */
  taskId: z.string().nullable(),
  task_number: z.int().optional(),
  /** The session that keeps the slot alive. */
  session: z.string().optional(),
  last_heartbeat: z.string().optional(),
});

export type ShownWorker = z.infer<typeof workerOutput>;

/** `get_workers`: all slots, in order. */
export const workerListOutput = z.strictObject({ workers: z.array(workerOutput), count: z.int() });

export type ShownWorkerList = z.infer<typeof workerListOutput>;

export function showWorker(slot: ListedSlot): ShownWorker {
  return {
    slot: slot.slot,
    workerId: slot.workerId,
    active: slot.workerId !== null,
    taskId: slot.taskId === null ? null : workerTaskId({ key: slot.taskKey, id: slot.taskId }),
    task_number: slot.taskId ?? undefined,
    session: slot.holder ?? undefined,
    last_heartbeat: slot.heartbeatAt === null ? undefined : iso(slot.heartbeatAt),
  };
}
