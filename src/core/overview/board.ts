import type { Clock } from '../../base/clock.js';
import type { Database, Sql, Value } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import { containing } from '../tasks/list-tasks.js';
import { hasDueTasks, readyNow, releaseDueTasks } from '../tasks/ready.js';
import type { TaskStatus } from '../tasks/task.js';

/** The statuses as people see them: what is pending can be done now, or waits for something. */
export const boardStates = ['ready', 'waiting', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type BoardState = (typeof boardStates)[number];
export type StateCounts = Record<BoardState, number>;

/** Which tasks of the board are looked at; all of what is given must be true of them. */
export interface BoardFilter {
  goalId?: number | undefined;
  /** Exactly this project; '' for tasks of none. */
  project?: string | undefined;
  /** Who works or worked on it: a worker's name, or the session that claimed it. */
  worker?: string | undefined;
  /** Part of a title, key or description, in any case. */
  text?: string | undefined;
  /** Only open tasks whose deadline has passed. */
  isOverdue?: boolean | undefined;
}

/** As much of a task as a card shows. Times are epoch milliseconds; texts are cut. */
export interface BoardTask {
  id: number;
  key: string | null;
  title: string;
  state: BoardState;
  priority: number;
  goalId: number | null;
  project: string;
  /** Dependencies that are not done, and those of them that failed. */
  waitsFor: number;
  failedDependencies: number;
  notBefore: number | null;
  deadlineAt: number | null;
  isOverdue: boolean;
  isSkipped: boolean;
  worker: string | null;
  /** When the present claim was made. */
  claimedAt: number | null;
  leaseExpiresAt: number | null;
  attempts: number;
  maxAttempts: number;
  error: string | null;
  completedAt: number | null;
}

export interface BoardSummary {
  counts: StateCounts;
  /** Open ones whose deadline has passed. */
  overdue: number;
}

interface Needs {
  db: Database;
  clock: Clock;
}

/** The board by state: how many of each there are, and the first of each in the order in which one asks for them. */
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
    // A column without tasks would be searched to its end.
    const most = Math.min(limit, summary.counts[state]);
    if (most > 0) columns[state] = await readTasks(db, conditionsOf(filter, state), orders[state], most);
  }
  return { ...summary, columns };
}

/** A page of the board's tasks, newest first, below `beforeId`; of one state or of all. */
export async function readBoardList(
  { db, clock }: Needs,
  { state, beforeId, limit, ...filter }: BoardFilter & { state?: BoardState; beforeId?: number; limit: number },
): Promise<BoardSummary & { tasks: BoardTask[] }> {
  const summary = await readSummary({ db, clock }, filter);
  const conditions = conditionsOf(filter, state);
  if (beforeId !== undefined) conditions.push({ text: 'id < ?', values: [beforeId] });
  return { ...summary, tasks: await readTasks(db, conditions, 'id desc', limit) };
}

/** What a task belongs to: its goal's name, and the tasks on both sides of it, `limit` of each, in the order of their ids. */
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

/** How many tasks are in each state. Whole statuses are counted on an index, a text or a worker by looking at every task. */
async function readSummary({ db, clock }: Needs, filter: BoardFilter): Promise<BoardSummary> {
  // A task whose time has come is ready, and one whose deadline has passed is overdue, whoever notices first.
  if (await hasDueTasks(db, clock)) await db.transaction((sql) => releaseDueTasks(sql, clock.now()));
  return countStates(db, filter);
}

/** As many as there are, under a filter: never of a page. */
export async function countStates(sql: Sql, filter: BoardFilter): Promise<BoardSummary> {
  const count = async (text: string): Promise<number> => {
    const { text: where, values } = whereOf([{ text, values: [] }, ...conditionsOf(filter)]);
    return (await sql.get<{ count: number }>(`select count(*) as count from tasks ${where}`, ...values))?.count ?? 0;
  };
  const { text: where, values } = whereOf(conditionsOf(filter));
  const rows = await sql.all<{ status: TaskStatus; count: number }>(
    `select status, count(*) as count from tasks ${where} group by status`,
    ...values,
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

/** In the words of the partial index: that one of them is given does not tell SQLite that it is one of them. */
const hasEnded = "status in ('completed', 'failed', 'cancelled')";

/** Written out rather than as parameters, so that partial indexes serve. */
const conditionOf: Record<BoardState, string> = {
  ready: readyNow,
  waiting: "status = 'pending' and (unfinished_dependencies > 0 or is_held = 1)",
  in_progress: "status = 'in_progress'",
  completed: `status = 'completed' and ${hasEnded}`,
  failed: `status = 'failed' and ${hasEnded}`,
  cancelled: `status = 'cancelled' and ${hasEnded}`,
};

/** What will be claimed first, what was begun last, what ended last. */
const orders: Record<BoardState, string> = {
  ready: 'priority desc, is_overdue desc, id',
  waiting: 'id',
  in_progress: 'started_at desc, id desc',
  completed: 'completed_at desc, id desc',
  failed: 'completed_at desc, id desc',
  cancelled: 'completed_at desc, id desc',
};

function conditionsOf({ goalId, project, worker, text, isOverdue }: BoardFilter, state?: BoardState): Fragment[] {
  const conditions: Fragment[] = [];
  const when = (condition: string, ...values: Value[]) => conditions.push({ text: condition, values });
  if (state !== undefined) when(conditionOf[state]);
  if (goalId !== undefined) when('goal_id = ?', goalId);
  if (project !== undefined) when('project = ?', project);
  if (worker !== undefined) when('(worker_id = ? or claimed_by = ?)', worker, worker);
  if (isOverdue) when(overdue);
  if (text !== undefined) conditions.push(containing(text));
  return conditions;
}

function whereOf(conditions: readonly Fragment[]): Fragment {
  if (conditions.length === 0) return { text: '', values: [] };
  return {
    text: `where ${conditions.map(({ text }) => text).join(' and ')}`,
    values: conditions.flatMap(({ values }) => values),
  };
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
  not_before: number | null;
  deadline_at: number | null;
  worker: string | null;
  claimed_at: number | null;
  lease_expires_at: number | null;
  attempts: number;
  max_attempts: number;
  error: string | null;
  completed_at: number | null;
}

const longestTitle = 240;

/** A claim's own time stands in the log: the row knows when work began first. */
const columns = `id, key, substr(title, 1, ${longestTitle}) as title, status, priority, goal_id, project,
  unfinished_dependencies, failed_dependencies, is_held, is_overdue, is_skipped, not_before, deadline_at,
  coalesce(worker_id, claimed_by) as worker, lease_expires_at, attempts, max_attempts,
  substr(error, 1, ${longestTitle}) as error, completed_at,
  case when status = 'in_progress' then (
    select at from events e where e.subject = 'task' and e.subject_id = cast(tasks.id as text) and e.type = 'claimed'
    order by e.id desc limit 1) end as claimed_at`;

/** Tasks as cards show them. */
export async function readTasks(
  sql: Sql,
  conditions: readonly Fragment[],
  order: string,
  limit: number,
): Promise<BoardTask[]> {
  const { text, values } = whereOf(conditions);
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
