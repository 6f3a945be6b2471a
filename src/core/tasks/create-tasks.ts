import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { addDependencies } from './dependencies.js';
import { dependencyOrder } from './dependency-order.js';
import { applyOwnPolicy } from './failure-policy.js';
import type { GoalRow } from './goal.js';
import { openGoalForWork } from './goal-status.js';
import { findTask, findTaskIds, refuseNumericKey, type TaskReference } from './references.js';
import type { FailurePolicy, TaskRow } from './task.js';

export interface NewTask {
  title: string;
  key?: string | undefined;
  goalId?: number | undefined;
  project?: string | undefined;
  description?: string | undefined;
  acceptance?: string | undefined;
  expectedOutput?: string | undefined;
  priority?: number | undefined;
  /** Ids or keys of tasks that must be done first; in a batch also keys of the batch. */
  dependencies?: readonly TaskReference[] | undefined;
  metadata?: JsonObject | undefined;
  deadlineAt?: number | undefined;
  notBefore?: number | undefined;
  maxAttempts?: number | undefined;
  onDependencyFailure?: FailurePolicy | undefined;
}

/**
 * Creates tasks, all or none, in the order that their dependencies on each other ask for.
 * Resolves to the rows in the order given. Throws `conflict` for a key in use, `not_found` for an unknown goal or
 * dependency, `dependency_cycle`.
 */
export async function createTasks(sql: Sql, tasks: readonly NewTask[], change: Change): Promise<TaskRow[]> {
  const goals = new Map<number, GoalRow>();
  for (const { goalId } of tasks) {
    if (goalId !== undefined && !goals.has(goalId)) goals.set(goalId, await openGoalForWork(sql, goalId, change));
  }
  const created = new Map<NewTask, TaskRow>();
  for (const task of inDependencyOrder(tasks)) {
    // Whoever can see a goal can see its tasks, from wherever they were made.
    const project = task.project ?? goals.get(task.goalId ?? 0)?.project ?? change.actor?.project ?? '';
    created.set(task, await createOne(sql, task, project, change));
  }
  return tasks.flatMap((task) => created.get(task) ?? []);
}

async function createOne(sql: Sql, task: NewTask, project: string, change: Change): Promise<TaskRow> {
  if (task.key !== undefined) await refuseUsedKey(sql, task.key);
  const dependencies = await findTaskIds(sql, task.dependencies ?? []);

  const row = await sql.get<TaskRow>(
    `insert into tasks (key, goal_id, project, title, description, acceptance, expected_output, priority,
       on_dependency_failure, max_attempts, deadline_at, is_overdue, not_before, is_held, metadata, created_by,
       created_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning *`,
    task.key ?? null,
    task.goalId ?? null,
    project,
    task.title,
    task.description ?? '',
    task.acceptance ?? null,
    task.expectedOutput ?? null,
    task.priority ?? 5,
    task.onDependencyFailure ?? 'block',
    task.maxAttempts ?? 3,
    task.deadlineAt ?? null,
    Number((task.deadlineAt ?? Number.POSITIVE_INFINITY) <= change.at),
    task.notBefore ?? null,
    Number((task.notBefore ?? 0) > change.at),
    JSON.stringify(task.metadata ?? {}),
    change.actor?.holder ?? null,
    change.at,
    change.at,
  );
  if (!row) throw new Error('An insert returned no row.');
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'created' });
  if (dependencies.length === 0) return row;
  await addDependencies(sql, row.id, dependencies);
  await applyOwnPolicy(sql, row.id, change);
  return findTask(sql, row.id);
}

async function refuseUsedKey(sql: Sql, key: string): Promise<void> {
  refuseNumericKey(key);
  const taken = await sql.get<{ id: number; status: string }>('select id, status from tasks where key = ?', key);
  if (taken) {
    throw new RuntimeError(
      'conflict',
      `The key ${key} belongs to task ${taken.id}, which is ${taken.status}.`,
      'Choose another key, or edit_task that task.',
    );
  }
}

/**
 * Tasks of a batch after those of the batch that they depend on, by key. Throws `conflict` for two of one key,
 * `dependency_cycle`.
 */
export function inDependencyOrder(tasks: readonly NewTask[]): NewTask[] {
  const byKey = new Map<TaskReference, number>();
  for (const [index, { key }] of tasks.entries()) {
    if (key === undefined) continue;
    if (byKey.has(key)) {
      throw new RuntimeError('conflict', `Two tasks of this call have the key ${key}.`, 'Give each its own key.');
    }
    byKey.set(key, index);
  }
  const siblings = tasks.map((task) => (task.dependencies ?? []).flatMap((reference) => byKey.get(reference) ?? []));
  const order = dependencyOrder(siblings, (index) => tasks[index]?.key ?? '');
  return order.flatMap((index) => tasks[index] ?? []);
}
