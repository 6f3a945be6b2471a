import type { Clock, EpochMs } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { type Fragment, is, where } from '../../store/where.js';
import { containing } from '../tasks/containing.js';
import { hasDueTasks, readyNow, releaseDueTasks } from '../tasks/ready.js';
import type { TaskStatus } from '../tasks/task.js';
import { readTaskCounts } from '../tasks/task-counts.js';

/** The statuses as people see them: a pending task is ready, or waits for something. */
export const boardStates = ['ready', 'waiting', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type BoardState = (typeof boardStates)[number];
export type StateCounts = Record<BoardState, number>;

/** The tasks that meet all of the given conditions. */
export interface BoardFilter {
  goalId?: number | undefined;
  /** Exactly this project; '' for tasks without one. */
  project?: string | undefined;
  /** This project, and tasks without one. */
  withinProject?: string | undefined;
  status?: TaskStatus | undefined;
  /** A worker's name, or the session that claimed the task. */
  worker?: string | undefined;
  /** Part of a title, key or description, in any case. */
  text?: string | undefined;
  /** Only open tasks whose deadline has passed. */
  isOverdue?: boolean | undefined;
}

/** A task as a card shows it. Texts are cut. */
export interface BoardTask {
  id: number;
  key: string | null;
  title: string;
  state: BoardState;
  priority: number;
  goalId: number | null;
  project: string;
  /** Dependencies that are not done; the failed ones are counted in `failedDependencies` too. */
  waitsFor: number;
  failedDependencies: number;
  notBefore: EpochMs | null;
  deadlineAt: EpochMs | null;
  isOverdue: boolean;
  isSkipped: boolean;
  worker: string | null;
  /** The time of the present claim. */
  claimedAt: EpochMs | null;
  leaseExpiresAt: EpochMs | null;
  attempts: number;
  maxAttempts: number;
  error: string | null;
  completedAt: EpochMs | null;
}

export interface BoardSummary {
  counts: StateCounts;
  /** Open tasks whose deadline has passed. */
  overdue: number;
}

interface Needs {
  db: Database;
  clock: Clock;
}

/** The board by state: the number of tasks in each state, and the first `limit` of each. */
export async function readBoard(
  { db, clock }: Needs,
  filter: BoardFilter,
  limit: number,
): Promise<BoardSummary & { columns: Record<BoardState, BoardTask[]> }> {
  const summary = await readSummary({ db, clock }, filter);
  const columns: Record<BoardState, BoardTask[]> = {
    ready: [],
    waiting: [],
    in_progress: [],
    completed: [],
    failed: [],
    cancelled: [],
  };
  for (const state of boardStates) {
    // A column without tasks would be scanned to its end.
    const most = Math.min(limit, summary.counts[state]);
    if (most > 0) columns[state] = await readTasks(db, conditionsOf(filter, state), orders[state], most);
  }
  return { ...summary, columns };
}

/** The tasks with these ids, by id; those that there are not are left out. */
export async function readTasksById(sql: Sql, ids: readonly number[]): Promise<BoardTask[]> {
  if (ids.length === 0) return [];
  const named = { text: `id in (${ids.map(() => '?').join(', ')})`, values: [...ids] };
  return readTasks(sql, [named], 'id', ids.length);
}

/** A page of tasks, newest first, with ids below `beforeId`; of one state or of all. */
export async function readBoardList(
  { db, clock }: Needs,
  { state, beforeId, limit, ...filter }: BoardFilter & { state?: BoardState; beforeId?: number; limit: number },
): Promise<BoardSummary & { tasks: BoardTask[] }> {
  const summary = await readSummary({ db, clock }, filter);
  const conditions = conditionsOf(filter, state);
  if (beforeId !== undefined) conditions.push({ text: 'id < ?', values: [beforeId] });
  return { ...summary, tasks: await readTasks(db, conditions, 'id desc', limit) };
}

/** A task's goal, its dependencies and its dependents: at most `limit` of each, by id. */
export async function readNeighbours(
  sql: Sql,
  taskId: number,
  limit: number,
): Promise<{ dependencies: BoardTask[]; dependents: BoardTask[]; goalName: string | undefined }> {
  const side = (mine: string, theirs: string) =>
    readTasks(
      sql,
      [{ text: `id in (select ${theirs} from task_dependencies where ${mine} = ?)`, values: [taskId] }],
      'id',
      limit,
    );
  const goal = await sql.get<{ name: string }>(
    'select g.name from tasks t join goals g on g.id = t.goal_id where t.id = ?',
    taskId,
  );
  return {
    dependencies: await side('task_id', 'depends_on'),
    dependents: await side('depends_on', 'task_id'),
    goalName: goal?.name,
  };
}

/** The number of tasks in each state. Statuses are counted on an index; a text or a worker needs a scan of all tasks. */
async function readSummary({ db, clock }: Needs, filter: BoardFilter): Promise<BoardSummary> {
  // Releases tasks that are due and marks overdue ones first, so that the counts are those of now.
  if (await hasDueTasks(db, clock)) await db.transaction((sql) => releaseDueTasks(sql, clock.now()));
  return countStates(db, filter);
}

/** Counts all tasks that meet a filter, by state: off the stored counts, where they hold what is asked for. */
export async function countStates(sql: Sql, filter: BoardFilter): Promise<BoardSummary> {
  const { goalId, project, withinProject, ...others } = filter;
  if (Object.values(others).every((other) => other === undefined || other === false)) {
    const { overdue, ...counts } = await readTaskCounts(sql, { goalId, project, withinProject });
    return { counts, overdue };
  }
  const count = async (text: string): Promise<number> => {
    const found = where({ text, values: [] }, ...conditionsOf(filter));
    const row = await sql.get<{ count: number }>(`select count(*) as count from tasks ${found.text}`, ...found.values);
    return row?.count ?? 0;
  };
  const found = where(...conditionsOf(filter));
  const rows = await sql.all<{ status: TaskStatus; count: number }>(
    `select status, count(*) as count from tasks ${found.text} group by status`,
    ...found.values,
  );
  const byStatus = new Map(rows.map((row) => [row.status, row.count]));
  const of = (status: TaskStatus) => byStatus.get(status) ?? 0;
  const ready = of('pending') === 0 ? 0 : await count(readyNow);
  return {
    counts: {
      ready,
      waiting: of('pending') - ready,
      in_progress: of('in_progress'),
      completed: of('completed'),
      failed: of('failed'),
      cancelled: of('cancelled'),
    },
    overdue: await count(overdue),
  };
}

const overdue = "is_overdue = 1 and status in ('pending', 'in_progress')";

/**
 * In the words of the partial index: SQLite does not conclude from one of these statuses that the index covers it. A goal's
 * tasks are found by the goal instead; that index would be read through to its end for them.
 */
const hasEnded = "status in ('completed', 'failed', 'cancelled')";

/** Written out rather than as parameters, so that partial indexes are used. */
const conditionOf: Record<BoardState, string> = {
  ready: readyNow,
  waiting: "status = 'pending' and (unfinished_dependencies > 0 or is_held = 1)",
  in_progress: "status = 'in_progress'",
  completed: `status = 'completed' and ${hasEnded}`,
  failed: `status = 'failed' and ${hasEnded}`,
  cancelled: `status = 'cancelled' and ${hasEnded}`,
};

/** Ready tasks in the order of claims; others by what began or ended last. */
const orders: Record<BoardState, string> = {
  ready: 'priority desc, is_overdue desc, id',
  waiting: 'id',
  in_progress: 'started_at desc, id desc',
  completed: 'completed_at desc, id desc',
  failed: 'completed_at desc, id desc',
  cancelled: 'completed_at desc, id desc',
};

function conditionsOf(filter: BoardFilter, state?: BoardState): Fragment[] {
  const { goalId, project, withinProject, status, worker, text, isOverdue } = filter;
  const conditions = [
    state && is(goalId === undefined ? conditionOf[state] : conditionOf[state].replace(` and ${hasEnded}`, '')),
    is('goal_id = ?', goalId),
    is('project = ?', project),
    is("project in (?, '')", withinProject),
    is('status = ?', status),
    is('(worker_id = ? or claimed_by = ?)', worker, worker),
    isOverdue ? is(overdue) : undefined,
    text === undefined ? undefined : containing(text),
  ];
  return conditions.filter((condition) => condition !== undefined);
}

interface BoardRow {
  id: number;
  key: string | null;
  title: string;
  status: TaskStatus;
  priority: number;
  goal_id: number | null;
  project: string;
  unfinished_dependencies: number;
  failed_dependencies: number;
  is_held: number;
  is_overdue: number;
  is_skipped: number;
  not_before: EpochMs | null;
  deadline_at: EpochMs | null;
  worker: string | null;
  claimed_at: EpochMs | null;
  lease_expires_at: EpochMs | null;
  attempts: number;
  max_attempts: number;
  error: string | null;
  completed_at: EpochMs | null;
}

const longestTitle = 240;

/** The time of a claim comes from the events: the row has only the time of the first one. */
const columns = `id, key, substr(title, 1, ${longestTitle}) as title, status, priority, goal_id, project,
  unfinished_dependencies, failed_dependencies, is_held, is_overdue, is_skipped, not_before, deadline_at,
  coalesce(worker_id, claimed_by) as worker, lease_expires_at, attempts, max_attempts,
  substr(error, 1, ${longestTitle}) as error, completed_at,
  case when status = 'in_progress' then (
    select at from events e where e.subject = 'task' and e.subject_id = cast(tasks.id as text) and e.type = 'claimed'
    order by e.id desc limit 1) end as claimed_at`;

/** Tasks that meet all of the conditions, as cards show them. */
export async function readTasks(
  sql: Sql,
  conditions: readonly Fragment[],
  order: string,
  limit: number,
): Promise<BoardTask[]> {
  const { text, values } = where(...conditions);
  const rows = await sql.all<BoardRow>(
    `select ${columns} from tasks ${text} order by ${order} limit ?`,
    ...values,
    limit,
  );
  return rows.map(toBoardTask);
}

function toBoardTask(row: BoardRow): BoardTask {
  const isOpen = row.status === 'pending' || row.status === 'in_progress';
  return {
    id: row.id,
    key: row.key,
    title: row.title,
    state: stateOf(row),
    priority: row.priority,
    goalId: row.goal_id,
    project: row.project,
    waitsFor: row.status === 'pending' ? row.unfinished_dependencies : 0,
    failedDependencies: row.status === 'pending' ? row.failed_dependencies : 0,
    notBefore: row.is_held === 1 ? row.not_before : null,
    deadlineAt: row.deadline_at,
    isOverdue: isOpen && row.is_overdue === 1,
    isSkipped: row.is_skipped === 1,
    worker: row.worker,
    claimedAt: row.claimed_at,
    leaseExpiresAt: row.lease_expires_at,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    error: row.error,
    completedAt: row.completed_at,
  };
}

function stateOf({ status, unfinished_dependencies, is_held }: BoardRow): BoardState {
  if (status !== 'pending') return status;
  return unfinished_dependencies === 0 && is_held === 0 ? 'ready' : 'waiting';
}
