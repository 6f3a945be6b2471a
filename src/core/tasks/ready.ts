import type { Clock, EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import { type TaskRow, taskName } from './task.js';

/** Which tasks a caller may be given: those of a goal; else those of its project and of no project; else all. */
export interface TaskScope {
  goalId?: number | undefined;
  project?: string | undefined;
}

/** The ready task that comes first: by priority, then overdue ones, then by age. */
export async function findNext(sql: Sql, scope: TaskScope): Promise<TaskRow | undefined> {
  const { text, values } = firstReady(scope);
  return sql.get<TaskRow>(`select * from tasks where id = (${text})`, ...values);
}

export interface ReadyPage {
  limit: number;
  /** The page after the page that ended with this task, which may have been claimed since. */
  afterId?: number | undefined;
}

/** All ready tasks, in the order in which they would be claimed. */
export async function listReady(sql: Sql, scope: TaskScope, page: ReadyPage): Promise<TaskRow[]> {
  const after = page.afterId === undefined ? undefined : await findPosition(sql, page.afterId);
  const { text, values } = readyIds(scope, after, { text: '?', values: [page.limit] });
  return sql.all<TaskRow>(`select * from tasks where id in (${text}) ${queueOrder} limit ?`, ...values, page.limit);
}

/** How many tasks of a scope can be claimed now. */
export const countReady = (sql: Sql, { goalId, project }: TaskScope): Promise<number> =>
  countRows(
    sql,
    'tasks',
    where(is(readyNow), goalId === undefined ? is("project in (?, '')", project) : is('goal_id = ?', goalId)),
  );

/** Where a task stands in the queue. */
type Position = Pick<TaskRow, 'id' | 'priority' | 'is_overdue'>;

function findPosition(sql: Sql, id: number): Promise<Position | undefined> {
  return sql.get<Position>('select id, priority, is_overdue from tasks where id = ?', id);
}

/** True of a row that can be claimed now. */
export const readyNow = "status = 'pending' and unfinished_dependencies = 0 and is_held = 0";

const queueOrder = 'order by priority desc, is_overdue desc, id';

/** A query for the id of the task that would be claimed next. */
export const firstReady = (scope: TaskScope): Fragment => readyIds(scope, undefined, justOne);

/** The same, locked: the next of those that nobody else is claiming. */
export const firstFree = (scope: TaskScope): Fragment => readyIds(scope, undefined, justOne, 'for update skip locked');

/** Written out: with a parameter in its place SQLite needs 76 us for a claim instead of 32. */
const justOne: Fragment = { text: '1', values: [] };

/** The ids of the first ready tasks of a scope. The heads of its ranges are merged. */
function readyIds(scope: TaskScope, after: Position | undefined, limit: Fragment, lock = ''): Fragment {
  const ranges = rangesOf(scope).map((range) => readyRange(range, after, limit, lock));
  const [only] = ranges;
  if (only && ranges.length === 1) return { text: `select id from (${only.text}) as ready`, values: only.values };
  const merged = ranges.map((range) => `select * from (${range.text}) as ready`).join(' union all ');
  return {
    text: `select id from (${merged}) as merged ${queueOrder} limit ${limit.text}`,
    values: [...ranges.flatMap((range) => range.values), ...limit.values],
  };
}

/** The index ranges of a scope. A project has two: its own tasks, and those of no project. */
function rangesOf({ goalId, project }: TaskScope): Fragment[] {
  if (goalId !== undefined) return [{ text: 'and goal_id = ?', values: [goalId] }];
  if (project === undefined) return [{ text: '', values: [] }];
  return [project, ''].map((name) => ({ text: 'and project = ?', values: [name] }));
}

/** One range, in the order of its own index. */
function readyRange(range: Fragment, after: Position | undefined, limit: Fragment, lock: string): Fragment {
  const behind = 'and (priority < ? or (priority = ? and (is_overdue < ? or (is_overdue = ? and id > ?))))';
  return {
    text: `select id, priority, is_overdue from tasks where ${readyNow} ${range.text} ${after ? behind : ''} ${queueOrder} limit ${limit.text} ${lock}`,
    values: [
      ...range.values,
      ...(after ? [after.priority, after.priority, after.is_overdue, after.is_overdue, after.id] : []),
      ...limit.values,
    ],
  };
}

/** Whether `releaseDueTasks` has something to do; cheap enough to ask before every read. */
export async function hasDueTasks(sql: Sql, clock: Clock): Promise<boolean> {
  const now = clock.now();
  const due = await sql.get(
    `select 1 where exists (select 1 from tasks where is_held = 1 and not_before <= ?)
       or exists (select 1 from tasks where ${isNewlyOverdue})`,
    now,
    now,
  );
  return due !== undefined;
}

/** Makes tasks ready whose `not_before` has come, and marks those whose deadline has passed. */
export async function releaseDueTasks(sql: Sql, now: EpochMs): Promise<void> {
  await sql.send('update tasks set is_held = 0 where is_held = 1 and not_before <= ?', now);
  await sql.send(`update tasks set is_overdue = 1 where ${isNewlyOverdue}`, now);
}

const isNewlyOverdue =
  "deadline_at is not null and deadline_at <= ? and is_overdue = 0 and status in ('pending', 'in_progress')";

/** A task that another waits for. */
export type OpenDependency = Pick<TaskRow, 'id' | 'key' | 'status'>;

/** How many of them are named. */
export const shownOpen = 10;

/** The first of the tasks that a task waits for. */
export const readOpenDependencies = (sql: Sql, taskId: number): Promise<OpenDependency[]> =>
  sql.all<OpenDependency>(
    `select t.id, t.key, t.status from task_dependencies d join tasks t on t.id = d.depends_on
     where d.task_id = ? and d.state <> 'satisfied' order by t.id limit ${shownOpen}`,
    taskId,
  );

/** Why a pending task cannot be claimed now, in words; `undefined` if it can. */
export async function explainWaiting(sql: Sql, row: TaskRow): Promise<string | undefined> {
  return whyWaiting(row, row.unfinished_dependencies === 0 ? [] : await readOpenDependencies(sql, row.id));
}

/** The same, of a task whose open dependencies have been read. */
export function whyWaiting(
  row: Pick<TaskRow, 'unfinished_dependencies' | 'is_held' | 'not_before'>,
  open: readonly OpenDependency[],
): string | undefined {
  if (row.unfinished_dependencies > 0) {
    const more = row.unfinished_dependencies > open.length ? ', ...' : '';
    return `It waits for ${open.map((task) => `task ${taskName(task)} (${task.status})`).join(', ')}${more}.`;
  }
  if (row.is_held === 1) return `It must not start before ${isoTime(row.not_before)}.`;
  return undefined;
}

export function isoTime(at: EpochMs | null): string {
  return at === null ? 'an unknown time' : new Date(at).toISOString();
}

/** Why nothing is ready, in counts of tasks. */
export interface WaitingReasons {
  /** They depend on tasks that are still open. */
  waiting: number;
  /** They are in progress. */
  claimed: number;
  /** They depend on a task that failed or was cancelled, and wait until someone reopens it. */
  blockedByFailure: number;
  /** Their `notBefore` has not come. */
  notBefore: number;
  /** The earliest `notBefore` of those. */
  nextStartAt: EpochMs | null;
}

export async function countWaiting(sql: Sql, { goalId, project }: TaskScope): Promise<WaitingReasons> {
  const scope = where(
    goalId === undefined ? is("project in (?, '')", project) : is('goal_id = ?', goalId),
    is("status in ('pending', 'in_progress')"),
  );
  const row = await sql.get<{ waiting: number; claimed: number; blocked: number; held: number; next: EpochMs | null }>(
    `select
       count(*) filter (where status = 'pending' and unfinished_dependencies > 0 and failed_dependencies = 0) as waiting,
       count(*) filter (where status = 'in_progress') as claimed,
       count(*) filter (where status = 'pending' and failed_dependencies > 0) as blocked,
       count(*) filter (where status = 'pending' and unfinished_dependencies = 0 and is_held = 1) as held,
       min(case when status = 'pending' and unfinished_dependencies = 0 and is_held = 1 then not_before end) as next
     from tasks ${scope.text}`,
    ...scope.values,
  );
  return {
    waiting: row?.waiting ?? 0,
    claimed: row?.claimed ?? 0,
    blockedByFailure: row?.blocked ?? 0,
    notBefore: row?.held ?? 0,
    nextStartAt: row?.next ?? null,
  };
}
