import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { Unread } from '../../core/messages/messages.js';
import { holdingJob } from '../../core/tasks/claim-proof.js';
import type { DependencyResult, TaskHistory } from '../../core/tasks/history.js';
import type { TaskWithDependencies } from '../../core/tasks/list-tasks.js';
import type { WaitingReasons } from '../../core/tasks/ready.js';
import { failurePolicies, isOverdue, isReady, taskStatuses } from '../../core/tasks/task.js';
import type { ChangedTask, ClaimedTask, TaskDetail } from '../../core/tasks/tasks.js';
import { iso, jsonObject, mark, whenTrue } from '../call/fields.js';
import { cutWithCount } from '../call/page.js';
import { costFields } from './cost.js';
import { showUnread, unreadOutput } from './message.js';
import { showVerdict, verdictOutput } from './verdict.js';
import { showWorktree, worktreeOutput } from './worktree.js';

/** A task as every tool returns it. The first keys are always there, the others where they say something. */
export const taskOutput = z.strictObject({
  id: z.int(),
  goal_id: z.int().nullable(),
  title: z.string(),
  description: z.string(),
  status: z.enum(taskStatuses),
  /** 1 to 10, 10 first. */
  priority: z.int(),
  /** Ids of the tasks that must be done first. */
  dependencies: z.array(z.int()),
  created_at: z.string(),
  updated_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  result: z.string().nullable(),
  error: z.string().nullable(),
  metadata: jsonObject,
  attempts: z.int(),
  /** Claims that may lapse before it fails. */
  max_attempts: z.int(),
  /** The name that its maker gave it. */
  key: z.string().optional(),
  project: z.string().optional(),
  /** Of a pending task: whether it could be claimed now. */
  ready: z.boolean().optional(),
  overdue: mark,
  skipped: mark,
  acceptance: z.string().optional(),
  expected_output: z.string().optional(),
  deadline: z.string().optional(),
  not_before: z.string().optional(),
  on_dependency_failure: z.enum(failurePolicies).optional(),
  tokens_used: z.int().optional(),
  ...costFields,
  /** The task that it is a part of. */
  parent_id: z.int().optional(),
  /** The task during whose work it was found; neither waits for the other. */
  discovered_from: z.int().optional(),
  /** The last verdict on its result, by its acceptance criteria. */
  verdict: verdictOutput.optional(),
  claimed_by: z.string().optional(),
  worker_id: z.string().optional(),
  lease_expires_at: z.string().optional(),
});

/** A task. Times are ISO 8601 in UTC. */
export type ShownTask = z.infer<typeof taskOutput>;

/** Texts longer than this are cut unless the caller asks for all of it. */
export const usualText = 6_000;

/** New each time, to be filled up by Object.assign (`toTask` says why). @internal */
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
    overdue: whenTrue(isOverdue(task, now)),
    skipped: whenTrue(task.isSkipped),
    acceptance: task.acceptance ?? undefined,
    expected_output: task.expectedOutput ?? undefined,
    deadline: task.deadlineAt === null ? undefined : iso(task.deadlineAt),
    not_before: task.notBefore === null ? undefined : iso(task.notBefore),
    on_dependency_failure: task.onDependencyFailure === 'block' ? undefined : task.onDependencyFailure,
    tokens_used: task.tokensUsed === 0 ? undefined : task.tokensUsed,
    parent_id: task.parentId ?? undefined,
    discovered_from: task.discoveredFrom ?? undefined,
    verdict: showVerdict(task.verdict),
    claimed_by: task.claimedBy ?? undefined,
    worker_id: task.workerId ?? undefined,
    lease_expires_at: leaseOf(task),
  };
}

/** A new task: its maker has just sent its texts, and is shown the beginning of them. @internal */
export function showCreatedTask(task: TaskWithDependencies, now: number): ShownTask {
  const shown = showTask(task, now);
  const acceptance = task.acceptance === null ? undefined : cut(task.acceptance, longestEcho);
  return Object.assign(shown, { description: cut(task.description, longestEcho), acceptance });
}

/** Characters of a text that is returned to the caller who has just sent it. */
export const longestEcho = 100;

/** The claim of a job ends with the job, and its lease says nothing. */
function leaseOf({ claimedBy, leaseExpiresAt }: TaskWithDependencies): string | undefined {
  return holdingJob(claimedBy) === undefined ? (iso(leaseExpiresAt) ?? undefined) : undefined;
}

const ids = z.array(z.int()).optional();

/** A task after a change: not what its caller has just sent, which `get_task` has, but what that has done. */
export const changedTaskOutput = z.strictObject({
  id: z.int(),
  key: z.string().optional(),
  title: z.string(),
  status: z.enum(taskStatuses),
  /** Of a pending task: whether it could be claimed now. */
  ready: z.boolean().optional(),
  /** Proves that the claim is yours; present while the task is in progress. */
  claim_token: z.int().optional(),
  lease_expires_at: z.string().optional(),
  /** Ids of tasks that waited for it and can be claimed now. */
  now_ready: ids,
  /** Those that wait for it again. */
  waiting_again: ids,
  /** Those whose last part is done by this. */
  completed: ids,
  cancelled: ids,
  skipped: ids,
  /** Those that its failure had stopped. */
  reopened: ids,
  /** How many ids more there are, where a list is cut after 50. */
  ids_not_shown: z.int().optional(),
  /** Its goal, where that has been completed or is active again. */
  goal: z.strictObject({ id: z.int(), status: z.enum(['completed', 'active']) }).optional(),
});

export type ShownChangedTask = z.infer<typeof changedTaskOutput>;

const mostIds = 50;

/** @internal */
export function showChangedTask(task: ChangedTask, now: number): ShownChangedTask {
  const { effects } = task;
  const lists = [
    effects.nowReady,
    effects.waitingAgain,
    effects.completed,
    effects.cancelled,
    effects.skipped,
    effects.reopened,
  ];
  const left = lists.reduce((sum, { length }) => sum + Math.max(0, length - mostIds), 0);
  const shown = (list: readonly number[]) => (list.length === 0 ? undefined : list.slice(0, mostIds));
  return {
    id: task.id,
    key: task.key ?? undefined,
    title: cut(task.title, 60),
    status: task.status,
    ready: task.status === 'pending' ? isReady(task, now) : undefined,
    claim_token: task.status === 'in_progress' ? task.claimToken : undefined,
    lease_expires_at: leaseOf(task),
    now_ready: shown(effects.nowReady),
    waiting_again: shown(effects.waitingAgain),
    completed: shown(effects.completed),
    cancelled: shown(effects.cancelled),
    skipped: shown(effects.skipped),
    reopened: shown(effects.reopened),
    ids_not_shown: left === 0 ? undefined : left,
    goal: effects.goal,
  };
}

const dependencyResultsOutput = z.array(
  z.strictObject({ id: z.int(), title: z.string(), status: z.enum(taskStatuses), result: z.string().nullable() }),
);

/** What those who worked on a task before have left to the next; absent where there is nothing. */
export const historyOutput = {
  /** The newest ten, oldest first. */
  notes: z.array(z.strictObject({ at: z.string(), by: z.string().optional(), note: z.string() })).optional(),
  /** How many older notes there are; `get_events` has them. */
  notes_not_shown: z.int().optional(),
  /** The last five, oldest first. */
  earlier_attempts: z
    .array(
      z.strictObject({
        outcome: z.enum(['completed', 'failed', 'lapsed', 'released']),
        ended_at: z.string(),
        by: z.string().optional(),
        error: z.string().optional(),
      }),
    )
    .optional(),
};

/** @internal */
export function showHistory({ notes, noteCount, attempts }: TaskHistory, longestText: number) {
  const older = noteCount - notes.length;
  return {
    notes:
      notes.length === 0
        ? undefined
        : notes.map(({ at, by, note }) => ({
            at: iso(at),
            by: by ?? undefined,
            note: cutWithCount(note, longestText),
          })),
    notes_not_shown: older === 0 ? undefined : older,
    earlier_attempts:
      attempts.length === 0
        ? undefined
        : attempts.map(({ outcome, endedAt, by, error }) => ({
            outcome,
            ended_at: iso(endedAt),
            by: by ?? undefined,
            error: error === null ? undefined : cut(error, 500),
          })),
  };
}

export const longestNote = 1_000;

/** The results of the tasks before one; `get_task` has those whole that are cut after 1,500 characters. @internal */
export function showDependencyResults(results: readonly DependencyResult[]) {
  return results.map(({ id, title, status, result }) => ({
    id,
    title: cut(title, 80),
    status,
    result: result === null ? null : cutWithCount(result, 1_500),
  }));
}

/** A task with both its neighbours on the board. */
export const wholeTaskOutput = taskOutput.extend({
  ...historyOutput,
  dependency_results: dependencyResultsOutput,
  /** Ids of the tasks that wait for this one. */
  dependents: z.array(z.int()),
  /** Ids of its parts. */
  subtasks: z.array(z.int()).optional(),
  /** Why a pending task is not ready. */
  waits_because: z.string().optional(),
  worktree: worktreeOutput.optional(),
});

export type ShownWholeTask = z.infer<typeof wholeTaskOutput>;

/** @internal */
export function showWholeTask(task: TaskDetail, now: number, longestText?: number): ShownWholeTask {
  const { dependents, subtasks, waitsBecause, dependencyResults, history, worktree } = task;
  return Object.assign(showTask(task, now, longestText), showHistory(history, longestText ?? longestNote), {
    dependents,
    subtasks: subtasks.length === 0 ? undefined : subtasks,
    waits_because: waitsBecause,
    worktree: showWorktree(worktree),
    dependency_results: showDependencyResults(dependencyResults),
  });
}

/** A task that was just claimed, with what its worker needs. */
export const claimedTaskOutput = taskOutput.extend({
  /** Proves that the claim is yours and has not been superseded. */
  claim_token: z.int(),
  /** The results of the tasks before it; `get_task` has those whole that are cut after 1,500 characters. */
  dependency_results: dependencyResultsOutput,
  ...historyOutput,
  /** Work in its directory. */
  worktree: worktreeOutput.optional(),
  /** What to do before completing it. */
  advice: z.string().optional(),
  ...unreadOutput,
});

export type ShownClaimedTask = z.infer<typeof claimedTaskOutput>;

/** @internal */
export function showClaimedTask(task: ClaimedTask, now: number, unread: Unread): ShownClaimedTask {
  return Object.assign(
    showTask(task, now),
    { claim_token: task.claimToken, dependency_results: showDependencyResults(task.dependencyResults) },
    showHistory(task.history, longestNote),
    { worktree: showWorktree(task.worktree), advice: adviceOnAcceptance(task) },
    showUnread(unread),
  );
}

/** What to do before completing a task with acceptance criteria. @internal */
export function adviceOnAcceptance({ id, acceptance }: Pick<ClaimedTask, 'id' | 'acceptance'>): string | undefined {
  if (acceptance === null) return undefined;
  return `It has acceptance criteria: call verify_task with task_id ${id} and your result before you complete it.`;
}

/** Enough of a task to choose one from a list. */
export const briefTaskOutput = z.strictObject({
  id: z.int(),
  key: z.string().optional(),
  title: z.string(),
  status: z.enum(taskStatuses),
  priority: z.int(),
  goal_id: z.int().optional(),
  /** How many dependencies are not done. */
  waits_for: z.int().optional(),
  overdue: mark,
  worker: z.string().optional(),
});

/** @internal */
export function showTaskBriefly(
  task: TaskWithDependencies,
  now: number,
  longestTitle: number,
): z.infer<typeof briefTaskOutput> {
  return {
    id: task.id,
    key: task.key ?? undefined,
    title: cut(task.title, longestTitle),
    status: task.status,
    priority: task.priority,
    goal_id: task.goalId ?? undefined,
    waits_for: task.status === 'pending' && task.unfinishedDependencies > 0 ? task.unfinishedDependencies : undefined,
    overdue: whenTrue(isOverdue(task, now)),
    worker: task.status === 'in_progress' ? (task.workerId ?? task.claimedBy ?? '') : undefined,
  };
}

/** The answer when no task is ready: a sentence with advice, and the number of tasks that are not ready, by reason. */
export const noTaskOutput = z.strictObject({
  message: z.string(),
  why: z.strictObject({
    /** They wait for tasks that are still open. */
    waiting: z.int(),
    /** They are being worked on. */
    claimed: z.int(),
    /** They wait for a task that failed or was cancelled. */
    blocked_by_failure: z.int(),
    /** They may not start yet. */
    not_before: z.int(),
    next_start_at: z.string().optional(),
  }),
});

/** @internal */
export function showWhy(reasons: WaitingReasons): z.infer<typeof noTaskOutput> {
  return {
    message: `No tasks available in queue${adviceFor(reasons)}`,
    why: {
      waiting: reasons.waiting,
      claimed: reasons.claimed,
      blocked_by_failure: reasons.blockedByFailure,
      not_before: reasons.notBefore,
      next_start_at: reasons.nextStartAt === null ? undefined : iso(reasons.nextStartAt),
    },
  };
}

function adviceFor({ waiting, claimed, blockedByFailure, notBefore }: WaitingReasons): string {
  if (blockedByFailure > 0 && claimed === 0) {
    return '. Tasks wait for one that failed: list_tasks with status failed, then set it to pending to try again.';
  }
  if (claimed > 0) return '. Other workers have the tasks that the rest waits for; try again later.';
  if (notBefore > 0) return '. The next one may not start yet.';
  if (waiting > 0) return '. Tasks wait for tasks outside this scope; try scope all.';
  return '';
}
