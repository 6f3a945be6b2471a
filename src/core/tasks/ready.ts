import type { Sql, Value } from '../../store/sql.js';
import type { TaskRow } from './task.js';

/** Which tasks a caller may be given: those of a goal, else of its project and of none, else all. */
export interface TaskScope {
  goalId?: number | undefined;
  project?: string | undefined;
}

/** The task that should be done next, or nothing when none is ready: priority, then overdue ones, then the oldest. */
export async function findNext(sql: Sql, scope: TaskScope): Promise<TaskRow | undefined> {
  const { text, values } = firstReady(scope);
  return sql.get<TaskRow>(`select * from tasks where id = (${text})`, ...values);
}

export interface ReadyPage {
  limit: number;
  /** The page after the one that ended with this task, which may have been taken since. */
  afterId?: number | undefined;
}

/** All that could be claimed now, in the order in which it would be. */
export async function listReady(sql: Sql, scope: TaskScope, page: ReadyPage): Promise<TaskRow[]> {
  const after = page.afterId === undefined ? undefined : await placeOf(sql, page.afterId);
  const { text, values } = readyIds(scope, after, atMost(page.limit));
  return sql.all<TaskRow>(`select * from tasks where id in (${text}) ${inLine} limit ?`, ...values, page.limit);
}

interface Place {
  id: number;
  priority: number;
  is_overdue: number;
}

function placeOf(sql: Sql, id: number): Promise<Place | undefined> {
  return sql.get<Place>('select id, priority, is_overdue from tasks where id = ?', id);
}

/** True of a row that can be claimed now. */
export const readyNow = "status = 'pending' and unfinished_dependencies = 0 and is_held = 0";
const inLine = 'order by priority desc, is_overdue desc, id';

interface Query {
  text: string;
  values: Value[];
}

/** The id that would be claimed next, as a query. */
export const firstReady = (scope: TaskScope): Query => readyIds(scope, undefined, justOne);

/** The ids of the first ready tasks of a scope. A project has two lines, its own and the common one: their heads are merged. */
function readyIds(scope: TaskScope, after: Place | undefined, limit: Query): Query {
  const lines = linesOf(scope).map((line) => readyLine(line, after, limit));
  const [only] = lines;
  if (only && lines.length === 1) return { text: `select id from (${only.text}) line`, values: only.values };
  const merged = lines.map((line) => `select * from (${line.text}) line`).join(' union all ');
  return {
    text: `select id from (${merged}) lines ${inLine} limit ${limit.text}`,
    values: [...lines.flatMap((line) => line.values), ...limit.values],
  };
}

/** Written out, because with a parameter in its place SQLite takes 76 us for a claim instead of 32. */
const justOne: Query = { text: '1', values: [] };

const atMost = (limit: number): Query => ({ text: '?', values: [limit] });

function linesOf({ goalId, project }: TaskScope): Query[] {
  if (goalId !== undefined) return [{ text: 'and goal_id = ?', values: [goalId] }];
  if (project === undefined) return [{ text: '', values: [] }];
  return [project, ''].map((name) => ({ text: 'and project = ?', values: [name] }));
}

/** One line, in the order of its own index. */
function readyLine(line: Query, after: Place | undefined, limit: Query): Query {
  const behind = 'and (priority < ? or (priority = ? and (is_overdue < ? or (is_overdue = ? and id > ?))))';
  return {
    text: `select id, priority, is_overdue from tasks where ${readyNow} ${line.text} ${after ? behind : ''} ${inLine} limit ${limit.text}`,
    values: [
      ...line.values,
      ...(after ? [after.priority, after.priority, after.is_overdue, after.is_overdue, after.id] : []),
      ...limit.values,
    ],
  };
}
