import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { toVerdict, type Verdict } from './verdict.js';

export const taskStatuses = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/**
 * What happens to a task when one of its dependencies fails or is cancelled:
 * - `block`: it waits until the dependency is reopened;
 * - `skip`: it is cancelled, but counts as done for its own dependents;
 * - `run`: it runs as if the dependency were done;
 * - `cancel`: it is cancelled, and its own dependents apply their policies.
 */
export const failurePolicies = ['block', 'skip', 'run', 'cancel'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

/** A row of `tasks`. */
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
  deadline_at: EpochMs | null;
  is_overdue: number;
  not_before: EpochMs | null;
  is_held: number;
  claimed_by: string | null;
  worker_id: string | null;
  worker_slot: number | null;
  claim_token: number;
  lease_expires_at: EpochMs | null;
  lease_expires_tick: number | null;
  lease_boot_id: string | null;
  result: string | null;
  error: string | null;
  tokens_used: number;
  verdict: string | null;
  discovered_from: number | null;
  parent_id: number | null;
  metadata: string;
  created_by: string | null;
  created_at: EpochMs;
  updated_at: EpochMs;
  started_at: EpochMs | null;
  completed_at: EpochMs | null;
}

/** A unit of work on the board. */
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
  /** The dependency whose failure cancelled this task by its policy. */
  stoppedBy: number | null;
  isSkipped: boolean;
  attempts: number;
  maxAttempts: number;
  deadlineAt: EpochMs | null;
  notBefore: EpochMs | null;
  /** Not ready yet, because `notBefore` had not come when the board last looked. */
  isHeld: boolean;
  claimedBy: string | null;
  workerId: string | null;
  workerSlot: number | null;
  /** The fencing token: grows by one with each claim; a write that shows an older one is refused. */
  claimToken: number;
  leaseExpiresAt: EpochMs | null;
  result: string | null;
  error: string | null;
  tokensUsed: number;
  /** The last verdict on its result, by its acceptance criteria. */
  verdict: Verdict | null;
  /** The task during whose work it was discovered; neither waits for the other. */
  discoveredFrom: number | null;
  /** The task that it is a part of, which waits for it. */
  parentId: number | null;
  metadata: JsonObject;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  startedAt: EpochMs | null;
  completedAt: EpochMs | null;
}

/**
 * The task of a row, new each time: what else is known of it may be put on by Object.assign. A spread of so many fields
 * beside others takes 18 us on Node 20, a hundred times as long.
 */
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
    verdict: toVerdict(row.verdict),
    discoveredFrom: row.discovered_from,
    parentId: row.parent_id,
    metadata: readJson<JsonObject>(row.metadata),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

/** Whether the task can be claimed at `now`. */
export function isReady(task: Task, now: EpochMs): boolean {
  return (
    task.status === 'pending' && task.unfinishedDependencies === 0 && !(task.isHeld && (task.notBefore ?? 0) > now)
  );
}

export function isOverdue(task: Task, now: EpochMs): boolean {
  return (
    task.deadlineAt !== null && task.deadlineAt <= now && (task.status === 'pending' || task.status === 'in_progress')
  );
}

/** A task's id, or the key that its creator gave it. An id may also come as text. */
export type TaskReference = number | string;

interface Find {
  (sql: Sql, id: number): Promise<TaskRow>;
  /** A key is looked up for a caller, who works in a project. */
  (sql: Sql, reference: TaskReference, project: string): Promise<TaskRow>;
}

/**
 * The row of a task, by its id or by its key (`findKeyed`). Throws `not_found`, which for the id of a background job
 * names the tools that take one, and `conflict` for a key that several projects have.
 */
export const findTask: Find = (sql: Sql, reference: TaskReference, project?: string) =>
  readTask(sql, reference, project ?? '', '');

/** The same, and nobody else changes it until the end of the transaction. */
export const lockTask: Find = (sql: Sql, reference: TaskReference, project?: string) =>
  readTask(sql, reference, project ?? '', 'for update');

async function readTask(
  sql: Sql,
  reference: TaskReference,
  project: string,
  lock: '' | 'for update',
): Promise<TaskRow> {
  const id = isId(reference) ? Number(reference) : await idOfTask(sql, reference, project);
  return taskWithId(sql, id, reference, lock);
}

/** The row with the id that `idOfTask` has found for a reference. Throws `not_found` in the words of the reference. */
export async function taskWithId(
  sql: Sql,
  id: number,
  reference: TaskReference,
  lock: '' | 'for update' = '',
): Promise<TaskRow> {
  return (await sql.get<TaskRow>(`select * from tasks where id = ? ${lock}`, id)) ?? noTask(reference);
}

/**
 * The id that a reference stands for, which no task may have if the caller said it by number. A text such as `#8` or
 * `task 8` names the task with that id, unless it is the key of one. Throws as `findTask` does.
 */
export async function idOfTask(sql: Sql, reference: TaskReference, project: string): Promise<number> {
  if (isId(reference)) return Number(reference);
  const text = String(reference);
  const numbered = /^(?:#|task #?)(\d+)$/i.exec(text)?.[1];
  return Number((await findKeyed(sql, text, project))?.id ?? numbered ?? noTask(reference));
}

type Keyed = Pick<TaskRow, 'id' | 'status' | 'project'>;

/** The tasks of all projects that have a key. */
export const listKeyed = (sql: Sql, key: string): Promise<Keyed[]> =>
  sql.all<Keyed>('select id, status, project from tasks where key = ? order by id', key);

/**
 * The task that a caller means by a key, if there is one. Keys are unique within a project. What the caller's lists show
 * comes first: a task of its project, then one of no project; then that of another project. Throws `conflict` if several
 * other projects have the key.
 */
export async function findKeyed(sql: Sql, key: string, project: string): Promise<Keyed | undefined> {
  const all = await listKeyed(sql, key);
  const shown = all.find((task) => task.project === project) ?? all.find((task) => task.project === '');
  if (shown || all.length < 2) return shown ?? all[0];
  const named = all.map((task) => `task ${task.id} of ${task.project}`);
  throw new RuntimeError(
    'conflict',
    `The key ${key} belongs to ${named.slice(0, 5).join(', ')}${named.length > 5 ? ` and ${named.length - 5} more` : ''}.`,
    'Pass the number of the task.',
  );
}

/** The ids of tasks, without duplicates. Keys are looked up from a project. Throws as `findTask` does. */
export async function findTaskIds(sql: Sql, references: readonly TaskReference[], project: string): Promise<number[]> {
  const ids = new Set<number>();
  for (const reference of references) ids.add((await findTask(sql, reference, project)).id);
  return [...ids];
}

const isId = (reference: TaskReference): boolean => typeof reference === 'number' || /^\d+$/.test(reference);

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function noTask(reference: TaskReference): never {
  throw unknownTask(reference);
}

function unknownTask(reference: TaskReference): RuntimeError {
  if (typeof reference === 'string' && uuid.test(reference)) {
    return new RuntimeError(
      'not_found',
      `${reference} is the id of a background task, not of a task on the board.`,
      'Call check_task_status or get_task_result with it.',
    );
  }
  return new RuntimeError(
    'not_found',
    `No task has ${isId(reference) ? 'id' : 'key'} ${reference}.`,
    'Call list_tasks to see the tasks there are.',
  );
}

/** How a task is called in messages: by the key that its author gave it, or by its number. */
export const taskName = ({ key, id }: Pick<TaskRow, 'key' | 'id'>): string => key ?? String(id);

/**
 * Checks that a key may be given to a task of a project: to a new one, or to the one with `ownerId`. Throws `invalid` for
 * a key that would be taken for an id, and `conflict` for the key of another task of the project.
 */
export async function refuseUsedKey(sql: Sql, key: string, project: string, ownerId?: number): Promise<void> {
  if (!/\D/.test(key)) {
    throw new RuntimeError(
      'invalid',
      `The key ${JSON.stringify(key)} has digits only and would be taken for an id.`,
      `Use something like task-${key}.`,
    );
  }
  const owner = (await listKeyed(sql, key)).find((task) => task.project === project);
  if (!owner || owner.id === ownerId) return;
  throw new RuntimeError(
    'conflict',
    `The key ${key} belongs to task ${owner.id}, which is ${owner.status}.`,
    'Choose another key, or change that task with edit_task.',
  );
}
