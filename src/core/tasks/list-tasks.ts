import type { Sql, Value } from '../../store/sql.js';
import type { TaskScope } from './claim-next.js';
import { type Task, type TaskRow, type TaskStatus, toTask } from './task.js';

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
  const conditions: string[] = [];
  const values: Value[] = [];
  const when = (condition: string, ...given: (Value | undefined)[]) => {
    if (given.some((value) => value === undefined)) return;
    conditions.push(condition);
    values.push(...given.map((value) => value ?? null));
  };
  when('goal_id = ?', filter.goalId);
  when('status = ?', filter.status);
  when('id < ?', filter.beforeId);
  when('id > ?', filter.afterId);
  if (filter.text !== undefined) {
    const pattern = `%${filter.text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
    when(
      "(lower(title) like ? escape '\\' or lower(description) like ? escape '\\' or lower(key) like ? escape '\\')",
      pattern,
      pattern,
      pattern,
    );
  }
  const project = filter.goalId === undefined ? filter.project : undefined;
  const rows = await sql.all<TaskRow>(
    ...(project === undefined ? pageOf(conditions, values, filter) : projectPage(project, conditions, values, filter)),
  );
  return withDependencies(sql, rows);
}

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

type Query = [text: string, ...values: Value[]];

const directionOf = ({ afterId }: TaskFilter): 'asc' | 'desc' => (afterId === undefined ? 'desc' : 'asc');

function pageOf(conditions: readonly string[], values: readonly Value[], filter: TaskFilter): Query {
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  return [`select * from tasks ${where} order by id ${directionOf(filter)} limit ?`, ...values, filter.limit];
}

/** One page of a project's tasks and one of those without a project, merged: each is read off an index. */
function projectPage(
  project: string,
  conditions: readonly string[],
  values: readonly Value[],
  filter: TaskFilter,
): Query {
  const { limit } = filter;
  const order = `order by id ${directionOf(filter)} limit ?`;
  const half = `select * from (select * from tasks where ${['project = ?', ...conditions].join(' and ')} ${order})`;
  return [`select * from (${half} union all ${half}) ${order}`, project, ...values, limit, '', ...values, limit, limit];
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
  const scope =
    goalId !== undefined ? 'goal_id = ? and' : project !== undefined ? "(project = ? or project = '') and" : '';
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
