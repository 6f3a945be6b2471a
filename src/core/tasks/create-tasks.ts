import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import { recordedName } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { readReferences } from './batch-references.js';
import { dependencyOrder, insertDependencies } from './dependencies.js';
import { reviewPending } from './dependents.js';
import { type GoalRow, openGoalForWork } from './goal.js';
import { findTask, findTaskIds, refuseUsedKey, type Task, type TaskReference, type TaskRow } from './task.js';

/** What a caller sets of a task. */
export type TaskField =
  | 'title'
  | 'key'
  | 'goalId'
  | 'description'
  | 'acceptance'
  | 'priority'
  | 'metadata'
  | 'deadlineAt'
  | 'notBefore'
  | 'maxAttempts'
  | 'onDependencyFailure';

type OptionalFields = { [Name in TaskField | 'project' | 'expectedOutput']?: NonNullable<Task[Name]> | undefined };

export interface NewTask extends OptionalFields {
  title: string;
  /** Ids or keys of tasks that must be done first; in a batch also keys of the batch. */
  dependencies?: readonly TaskReference[] | undefined;
  /** The task during whose work it was discovered: a link that does not block. */
  discoveredFrom?: TaskReference | undefined;
  /** The task that it is a part of. The caller makes that one wait for it. */
  parentId?: number | undefined;
  /** Places in the batch, from 0, of tasks that must be done first. */
  after?: readonly number[] | undefined;
}

/**
 * Creates tasks, all or none, each after those of the batch it depends on. Resolves to the rows in the order given.
 * Throws `conflict` for a key in use, `not_found` for an unknown goal or dependency, `dependency_cycle`.
 */
export async function createTasks(sql: Sql, given: readonly NewTask[], change: Change): Promise<TaskRow[]> {
  const goals = new Map<number, GoalRow>();
  const goalIds = new Set(given.flatMap(({ goalId }) => goalId ?? []));
  // In one order for all, as each is locked.
  for (const id of [...goalIds].sort((a, b) => a - b)) goals.set(id, await openGoalForWork(sql, id, change));
  // A goal's project comes first: whoever can see a goal can see all of its tasks.
  const projectOf = ({ project, goalId }: NewTask): string =>
    project ?? goals.get(goalId ?? 0)?.project ?? change.actor?.project ?? '';
  if (given.every(standsAlone)) {
    // There is nothing to look up and nothing to sort.
    const rows: TaskRow[] = [];
    for (const task of given)
      rows.push(await insertTask(sql, task, { project: projectOf(task), origin: null }, change));
    return rows;
  }
  const tasks = await readReferences(
    sql,
    given.map((task) => ({ ...task, project: projectOf(task) })),
  );
  const created = new Map<NewTask, TaskRow>();
  for (const task of inDependencyOrder(tasks)) {
    const before = (task.after ?? []).flatMap((place) => created.get(tasks[place] ?? task)?.id ?? []);
    created.set(task, await createOne(sql, task, before, change));
  }
  return tasks.flatMap((task) => created.get(task) ?? []);
}

/** Whether a task touches no other one, so that it may be created beside other transactions. */
export const standsAlone = ({ key, dependencies = [], after = [], discoveredFrom, parentId }: NewTask): boolean =>
  key === undefined &&
  discoveredFrom === undefined &&
  parentId === undefined &&
  dependencies.length + after.length === 0;

type Placed = NewTask & { project: string };

/** `before` has the ids of the tasks of the batch that it depends on. */
async function createOne(sql: Sql, task: Placed, before: readonly number[], change: Change): Promise<TaskRow> {
  const { project } = task;
  if (task.key !== undefined) await refuseUsedKey(sql, task.key, project);
  const dependencies = await findTaskIds(sql, [...before, ...(task.dependencies ?? [])], project);
  const origin = task.discoveredFrom === undefined ? null : (await findTask(sql, task.discoveredFrom, project)).id;
  const row = await insertTask(sql, task, { project, origin }, change);
  if (dependencies.length === 0) return row;
  await insertDependencies(sql, row.id, dependencies);
  await reviewPending(sql, row.id, change);
  return findTask(sql, row.id);
}

async function insertTask(
  sql: Sql,
  task: NewTask,
  { project, origin }: { project: string; origin: number | null },
  change: Change,
): Promise<TaskRow> {
  const row = await insertRow<TaskRow>(sql, 'tasks', {
    key: task.key ?? null,
    goal_id: task.goalId ?? null,
    project,
    title: task.title,
    description: task.description ?? '',
    acceptance: task.acceptance ?? null,
    expected_output: task.expectedOutput ?? null,
    priority: task.priority ?? 5,
    on_dependency_failure: task.onDependencyFailure ?? 'block',
    max_attempts: task.maxAttempts ?? 3,
    deadline_at: task.deadlineAt ?? null,
    is_overdue: isOverdueAt(task.deadlineAt, change.at),
    not_before: task.notBefore ?? null,
    is_held: isHeldAt(task.notBefore, change.at),
    discovered_from: origin,
    parent_id: task.parentId ?? null,
    metadata: JSON.stringify(task.metadata ?? {}),
    created_by: recordedName(change.actor),
    created_at: change.at,
    updated_at: change.at,
  });
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'created' });
  return row;
}

/** The column `is_overdue` of a task that is open at `now`. */
export const isOverdueAt = (deadlineAt: EpochMs | null | undefined, now: EpochMs): number =>
  Number((deadlineAt ?? Number.POSITIVE_INFINITY) <= now);

/** The column `is_held` of a task at `now`. */
export const isHeldAt = (notBefore: EpochMs | null | undefined, now: EpochMs): number => Number((notBefore ?? 0) > now);

/**
 * Sorts the tasks of a batch so that each comes after those of the batch it depends on by key or place. Throws `conflict` if two
 * of one project have the same key, and `dependency_cycle`.
 */
export function inDependencyOrder<Task extends NewTask>(tasks: readonly Task[]): Task[] {
  const byKey = new Map<string, number>();
  const keyed = ({ project = '' }: Task, key: TaskReference): string => JSON.stringify([project, key]);
  for (const [index, task] of tasks.entries()) {
    const { key } = task;
    if (key === undefined) continue;
    if (byKey.has(keyed(task, key))) {
      throw new RuntimeError('conflict', `Two tasks of this call have the key ${key}.`, 'Give each its own key.');
    }
    byKey.set(keyed(task, key), index);
  }
  const siblings = tasks.map((task) => [
    ...(task.dependencies ?? []).flatMap((reference) => byKey.get(keyed(task, reference)) ?? []),
    ...(task.after ?? []),
  ]);
  const order = dependencyOrder(siblings, (index) => tasks[index]?.key ?? `"${tasks[index]?.title}"`);
  return order.flatMap((index) => tasks[index] ?? []);
}
