import type { Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import { containing } from './containing.js';
import { readyNow, type TaskScope } from './ready.js';
import { type Task, type TaskRow, taskStatuses, toTask } from './task.js';
import { readTaskCounts, type TaskCounts } from './task-counts.js';

/** A status; or of pending tasks those that can be claimed now, or those that cannot. */
export const listedStates = [...taskStatuses, 'ready', 'blocked'] as const;
type ListedState = (typeof listedStates)[number];

export interface TaskFilter extends TaskScope {
  status?: ListedState | undefined;
  /** Part of a title, key or description, in any case. */
  text?: string | undefined;
  /** The page after the page that ended with this id, of a list that begins with the newest. */
  beforeId?: number | undefined;
  /** The page after this id, of a list that begins with the oldest. */
  afterId?: number | undefined;
  limit: number;
}

/** Tasks with the ids of what they depend on: newest first, or oldest first after `afterId`. */
export async function listTasks(sql: Sql, filter: TaskFilter): Promise<TaskWithDependencies[]> {
  const rows = filter.text === undefined ? await readPage(sql, filter) : await search(sql, filter, filter.text);
  return withDependencies(sql, rows);
}

/** How many tasks there are on all pages of a list: off the stored counts, unless a text is looked for. */
export async function countTasks(
  sql: Sql,
  { goalId, project, status, text }: Omit<TaskFilter, 'limit'>,
): Promise<number> {
  if (text === undefined)
    return countOf(status, await readTaskCounts(sql, goalId === undefined ? { withinProject: project } : { goalId }));
  const ofScope = goalId === undefined ? is("project in (?, '')", project) : is('goal_id = ?', goalId);
  return countRows(sql, 'tasks', where(ofScope, ofState(status), containing(text)));
}

function countOf(status: ListedState | undefined, counts: TaskCounts): number {
  const { ready, waiting, overdue: _, ...others } = counts;
  const byStatus = { ...others, ready, blocked: waiting, pending: ready + waiting };
  return status === undefined ? taskStatuses.reduce((sum, each) => sum + byStatus[each], 0) : byStatus[status];
}

/** Blocked are those that wait for other tasks, or for their time. */
function ofState(status: ListedState | undefined): Fragment | undefined {
  if (status === 'ready') return is(readyNow);
  if (status === 'blocked') return is("status = 'pending' and (unfinished_dependencies > 0 or is_held = 1)");
  return is('status = ?', status);
}

/**
 * Reads a page from each of the index ranges that hold the tasks in the order of their ids, and merges these pages. So a
 * page costs the same on a board of any size.
 */
async function readPage(sql: Sql, filter: TaskFilter): Promise<TaskRow[]> {
  const order = `order by id ${directionOf(filter)}`;
  const ranges = rangesOf(filter).map((conditions) => where(...conditions, startOf(filter)));
  const ids = ranges.map(({ text }) => `select * from (select id from tasks ${text} ${order} limit ?) as page`);
  return sql.all<TaskRow>(
    `select * from tasks where id in (select id from (${ids.join(' union all ')}) as merged ${order} limit ?) ${order}`,
    ...ranges.flatMap(({ values }) => [...values, filter.limit]),
    filter.limit,
  );
}

/** The conditions of each range. An index has a goal's tasks by status; a project's and those of no project are two ranges. */
function rangesOf({ goalId, project, status }: TaskFilter): (Fragment | undefined)[][] {
  if (goalId !== undefined) {
    const statuses = status === undefined ? taskStatuses : [status];
    return statuses.map((each) => [is('goal_id = ?', goalId), ofState(each)]);
  }
  return project === undefined
    ? [[ofState(status)]]
    : [project, ''].map((name) => [is('project = ?', name), ofState(status)]);
}

const directionOf = ({ afterId }: TaskFilter): 'asc' | 'desc' => (afterId === undefined ? 'desc' : 'asc');

const startOf = ({ beforeId, afterId }: TaskFilter): Fragment | undefined =>
  is('id > ?', afterId) ?? is('id < ?', beforeId ?? Number.MAX_SAFE_INTEGER);

/** Reads every task in turn: no index covers the inside of a text. */
function search(sql: Sql, filter: TaskFilter, text: string): Promise<TaskRow[]> {
  const { goalId, project, status, limit } = filter;
  const found = where(
    startOf(filter),
    goalId === undefined ? is("project in (?, '')", project) : is('goal_id = ?', goalId),
    ofState(status),
    containing(text),
  );
  return sql.all<TaskRow>(
    `select * from tasks ${found.text} order by id ${directionOf(filter)} limit ?`,
    ...found.values,
    limit,
  );
}

/** A task with the ids of the tasks it depends on. */
export interface TaskWithDependencies extends Task {
  dependencies: number[];
}

export async function withDependencies(sql: Sql, rows: readonly TaskRow[]): Promise<TaskWithDependencies[]> {
  const tasks: TaskWithDependencies[] = [];
  for (const row of rows) {
    tasks.push(Object.assign(toTask(row), { dependencies: await readDependencyIds(sql, row.id) }));
  }
  return tasks;
}

/** The ids of the tasks that a task depends on, in order. */
export async function readDependencyIds(sql: Sql, taskId: number): Promise<number[]> {
  const rows = await sql.all<{ depends_on: number }>(
    'select depends_on from task_dependencies where task_id = ? order by depends_on',
    taskId,
  );
  return rows.map((row) => row.depends_on);
}
