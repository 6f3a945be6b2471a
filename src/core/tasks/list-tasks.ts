import type { Sql, Value } from '../../store/sql.js';
import type { TaskScope } from './ready.js';
import { type Task, type TaskRow, type TaskStatus, taskStatuses, toTask } from './task.js';

export interface TaskFilter extends TaskScope {
  status?: TaskStatus | undefined;
  /** Part of a title, key or description, in any case. */
  text?: string | undefined;
  /** The page after the one that ended with this id. */
  beforeId?: number | undefined;
  /** The same for a list that begins with the oldest. */
  afterId?: number | undefined;
  limit: number;
}

/** Tasks with the ids of what they depend on: newest first, or oldest first after `afterId`. */
export async function listTasks(sql: Sql, filter: TaskFilter): Promise<TaskWithDependencies[]> {
  const rows = filter.text === undefined ? await readPage(sql, filter) : await search(sql, filter, filter.text);
  return withDependencies(sql, rows);
}

/**
 * A page is read off lines that an index holds in order of id, a page of each, and merged; so that it costs the same
 * on any board.
 */
async function readPage(sql: Sql, filter: TaskFilter): Promise<TaskRow[]> {
  const from = fromWhere(filter);
  const order = `order by id ${directionOf(filter)}`;
  const lines = linesOf(filter).map(({ text, values }) => ({
    text: `select * from (select id from tasks where ${text} ${from.text} ${order} limit ?) line`,
    values: [...values, ...from.values, filter.limit],
  }));
  const ids = lines.map((line) => line.text).join(' union all ');
  return sql.all<TaskRow>(
    `select * from tasks where id in (select id from (${ids}) lines ${order} limit ?) ${order}`,
    ...lines.flatMap((line) => line.values),
    filter.limit,
  );
}

/** A part of a `where`, with its values. */
export interface Condition {
  text: string;
  values: Value[];
}

/** A goal's tasks stand in the index by status; those of a project and of none in two lines of their own. */
function linesOf({ goalId, project, status }: TaskFilter): Condition[] {
  if (goalId !== undefined) {
    const statuses = status === undefined ? taskStatuses : [status];
    return statuses.map((each) => ({ text: 'goal_id = ? and status = ? and', values: [goalId, each] }));
  }
  const ofStatus = status === undefined ? { text: '', values: [] } : { text: 'status = ? and', values: [status] };
  if (project === undefined) return [ofStatus];
  return [project, ''].map((name) => ({
    text: `project = ? and ${ofStatus.text}`,
    values: [name, ...ofStatus.values],
  }));
}

const directionOf = ({ afterId }: TaskFilter): 'asc' | 'desc' => (afterId === undefined ? 'desc' : 'asc');

/** Where the page starts. */
function fromWhere({ beforeId, afterId }: TaskFilter): Condition {
  if (afterId !== undefined) return { text: 'id > ?', values: [afterId] };
  return { text: 'id < ?', values: [beforeId ?? Number.MAX_SAFE_INTEGER] };
}

/** Looks at every task in turn, as no index knows the inside of a text. */
function search(sql: Sql, filter: TaskFilter, text: string): Promise<TaskRow[]> {
  const { goalId, project, status, limit } = filter;
  const from = fromWhere(filter);
  const conditions = [from.text];
  const values: Value[] = [...from.values];
  const when = (condition: string, value: Value | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  when('goal_id = ?', goalId);
  when("project in (?, '')", goalId === undefined ? project : undefined);
  when('status = ?', status);
  const contains = containing(text);
  return sql.all<TaskRow>(
    `select * from tasks where ${conditions.join(' and ')} and ${contains.text}
     order by id ${directionOf(filter)} limit ?`,
    ...values,
    ...contains.values,
    limit,
  );
}

/** True of a task with this text in its title, description or key, in any case. */
export function containing(text: string): Condition {
  const likes: string[] = [];
  const values: Value[] = [];
  for (const pattern of patternsFor(text)) {
    for (const column of ['title', 'description', 'key']) {
      likes.push(`lower(${column}) like ? escape '\\'`);
      values.push(pattern);
    }
  }
  return { text: `(${likes.join(' or ')})`, values };
}

/** SQLite's `lower` knows ASCII alone, so that other letters are looked for as given, all small, and all capital. */
function patternsFor(text: string): Set<string> {
  const variants = [text, text.toLowerCase(), text.toUpperCase()];
  return new Set(variants.map((variant) => `%${lowerAscii(variant).replaceAll(/[\\%_]/g, '\\$&')}%`));
}

const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

export interface TaskWithDependencies extends Task {
  dependencies: number[];
}

export async function withDependencies(sql: Sql, rows: readonly TaskRow[]): Promise<TaskWithDependencies[]> {
  const tasks: TaskWithDependencies[] = [];
  for (const row of rows) tasks.push({ ...toTask(row), dependencies: await dependencyIds(sql, row.id) });
  return tasks;
}

export async function dependencyIds(sql: Sql, taskId: number): Promise<number[]> {
  const rows = await sql.all<{ depends_on: number }>(
    'select depends_on from task_dependencies where task_id = ? order by depends_on',
    taskId,
  );
  return rows.map((row) => row.depends_on);
}

/** The keys of what these tasks depend on, by id; a task without a key is not in it. */
export async function dependencyKeys(sql: Sql, tasks: readonly { id: number }[]): Promise<Map<number, string>> {
  const keys = new Map<number, string>();
  for (const { id } of tasks) {
    const rows = await sql.all<{ id: number; key: string }>(
      `select t.id, t.key from task_dependencies d join tasks t on t.id = d.depends_on
       where d.task_id = ? and t.key is not null`,
      id,
    );
    for (const row of rows) keys.set(row.id, row.key);
  }
  return keys;
}

/** Why nothing is ready, in counts of tasks. */
export interface WaitingReasons {
  /** Waiting for tasks that are still open. */
  waiting: number;
  /** Being worked on. */
  claimed: number;
  /** Waiting for a task that failed or was cancelled; they wait until someone mends it. */
  blockedByFailure: number;
  /** Not to be started yet. */
  notBefore: number;
  /** When the first of those may start, epoch milliseconds. */
  nextStartAt: number | null;
}

export async function countWaiting(sql: Sql, { goalId, project }: TaskScope): Promise<WaitingReasons> {
  const scope = goalId !== undefined ? 'goal_id = ? and' : project !== undefined ? "project in (?, '') and" : '';
  const given = goalId ?? project;
  const row = await sql.get<{ waiting: number; claimed: number; blocked: number; held: number; next: number | null }>(
    `select
       count(*) filter (where status = 'pending' and unfinished_dependencies > 0 and failed_dependencies = 0) as waiting,
       count(*) filter (where status = 'in_progress') as claimed,
       count(*) filter (where status = 'pending' and failed_dependencies > 0) as blocked,
       count(*) filter (where status = 'pending' and unfinished_dependencies = 0 and is_held = 1) as held,
       min(case when status = 'pending' and unfinished_dependencies = 0 and is_held = 1 then not_before end) as next
     from tasks where ${scope} status in ('pending', 'in_progress')`,
    ...(given === undefined ? [] : [given]),
  );
  return {
    waiting: row?.waiting ?? 0,
    claimed: row?.claimed ?? 0,
    blockedByFailure: row?.blocked ?? 0,
    notBefore: row?.held ?? 0,
    nextStartAt: row?.next ?? null,
  };
}
