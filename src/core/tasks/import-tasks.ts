import type { EpochMs } from '../../base/clock.js';
import type { JsonObject } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { createTasks, isOverdueAt, type NewTask } from './create-tasks.js';
import { reviewPending } from './dependents.js';
import type { GoalStatus } from './goal.js';
import type { FailurePolicy, TaskRow } from './task.js';
import type { EndStatus } from './transitions.js';

/** A task that was kept elsewhere. Work in progress there is pending here, as nobody here has claimed it. */
export interface ImportedTask {
  /** What it is called where it comes from, unique there; the other tasks refer to it by this. */
  id: string;
  /** The key that it gets here. */
  key?: string | undefined;
  /** The id of its goal, among those that are imported with it. */
  goal?: string | undefined;
  title: string;
  description?: string | undefined;
  acceptance?: string | undefined;
  expectedOutput?: string | undefined;
  /** 1 to 10, 10 first. */
  priority?: number | undefined;
  status: 'pending' | EndStatus;
  /** Ids of tasks that must be done first. */
  dependencies: readonly string[];
  /** The task that it is a part of, which waits for it. */
  parent?: string | undefined;
  /** The task during whose work it was found. */
  discoveredFrom?: string | undefined;
  deadlineAt?: EpochMs | undefined;
  notBefore?: EpochMs | undefined;
  maxAttempts?: number | undefined;
  onDependencyFailure?: FailurePolicy | undefined;
  result?: string | undefined;
  error?: string | undefined;
  metadata?: JsonObject | undefined;
  project?: string | undefined;
  createdAt?: EpochMs | undefined;
  startedAt?: EpochMs | undefined;
  completedAt?: EpochMs | undefined;
}

/** What is on the board already: ids of rows by the ids of the import. */
export interface KnownIds {
  goals: ReadonlyMap<string, number>;
  tasks: ReadonlyMap<string, number>;
}

/**
 * Creates tasks as they were elsewhere, with their ends and times, all or none. Ends are written as they are: no policy
 * of a dependent applies to what ended long ago. Resolves to the rows' ids by the ids of the import. Throws as
 * `createTasks` does.
 */
export async function importTasks(
  sql: Sql,
  tasks: readonly ImportedTask[],
  known: KnownIds,
  change: Change,
): Promise<Map<string, number>> {
  const places = new Map(tasks.map(({ id }, place) => [id, place]));
  const rows = await createTasks(
    sql,
    tasks.map((task) => toNewTask(task, tasks, places, known)),
    change,
  );
  const ids = new Map(known.tasks);
  for (const [place, row] of rows.entries()) ids.set(tasks[place]?.id ?? '', row.id);
  for (const [place, row] of rows.entries()) {
    const task = tasks[place];
    if (task) await settle(sql, row, task, ids, change);
  }
  for (const [place, row] of rows.entries()) {
    if (tasks[place]?.status === 'pending') await reviewPending(sql, row.id, change);
  }
  return ids;
}

function toNewTask(
  { id, goal, dependencies, parent: _, discoveredFrom: __, ...task }: ImportedTask,
  all: readonly ImportedTask[],
  places: ReadonlyMap<string, number>,
  known: KnownIds,
): NewTask {
  const parts = all.flatMap((part) => (part.parent === id ? part.id : []));
  const before = [...new Set([...dependencies, ...parts])];
  return {
    ...task,
    goalId: goal === undefined ? undefined : known.goals.get(goal),
    after: before.flatMap((each) => places.get(each) ?? []),
    dependencies: before.flatMap((each) => (places.has(each) ? [] : (known.tasks.get(each) ?? []))),
  };
}

/** Writes what a new task cannot have: its links to tasks of the same import, its end and its times. */
async function settle(
  sql: Sql,
  row: TaskRow,
  { status, parent, discoveredFrom, ...task }: ImportedTask,
  ids: ReadonlyMap<string, number>,
  change: Change,
): Promise<void> {
  const isOpen = status === 'pending';
  await sql.run(
    `update tasks set parent_id = ?, discovered_from = ?, status = ?, result = ?, error = ?, is_overdue = ?,
       created_at = ?, started_at = ?, completed_at = ? where id = ?`,
    (parent === undefined ? undefined : ids.get(parent)) ?? null,
    (discoveredFrom === undefined ? undefined : ids.get(discoveredFrom)) ?? null,
    status,
    task.result ?? null,
    task.error ?? null,
    isOpen ? isOverdueAt(task.deadlineAt, change.at) : 0,
    task.createdAt ?? change.at,
    task.startedAt ?? null,
    isOpen ? null : (task.completedAt ?? change.at),
    row.id,
  );
  if (!isOpen) await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: status });
}

/** The status and the times that a goal had elsewhere. */
export async function settleGoal(
  sql: Sql,
  goalId: number,
  goal: { status: GoalStatus; createdAt: EpochMs; completedAt: EpochMs | null },
): Promise<void> {
  await sql.run(
    'update goals set status = ?, created_at = ?, completed_at = ? where id = ?',
    goal.status,
    goal.createdAt,
    goal.completedAt,
    goalId,
  );
}
