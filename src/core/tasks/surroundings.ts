import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import type { TaskWorktree, WorktreeStatus } from '../worktrees/worktrees.js';
import { type DependencyResult, historyFrom, historyTypes, oneLook, type TaskHistory } from './history.js';
import { readDependencyIds } from './list-tasks.js';
import { type OpenDependency, readOpenDependencies, shownOpen } from './ready.js';
import type { TaskRow, TaskStatus } from './task.js';

/** What stands around a task: its neighbours on the board, and what was done on it before. */
export interface Surroundings {
  dependencies: number[];
  /** The ids of the tasks that depend on it: the first 200. */
  dependents: number[];
  /** The ids of its parts. */
  subtasks: number[];
  /** The results of the tasks it depends on: the first 50. */
  dependencyResults: DependencyResult[];
  history: TaskHistory;
  /** The last git worktree that it was given. */
  worktree: TaskWorktree | undefined;
  /** Those of its dependencies that keep it waiting: the first 10. */
  openDependencies: OpenDependency[];
  /** Whether the board has any message: only then a claim asks for those to its caller. */
  hasMessages: boolean;
}

export interface SurroundingRow {
  side: 'before' | 'after' | 'part' | 'event' | 'tree' | 'message';
  id: number;
  kind: string;
  title: string;
  text: string | null;
  extra: string | null;
  at: EpochMs;
  /** Of a task before it: its key, and what that dependency has come to. */
  key: string | null;
  state: string | null;
}

const shownResults = 50;

/**
 * One statement: each costs as much as all that these read together (15 to 40 us on the driver of Node 20, of which a
 * whole call of get_task takes 180).
 */
const everything = `
  select * from (
    select 'before' as side, t.id, t.status as kind, t.title, t.result as text, t.error as extra, 0 as at, t.key, d.state
    from task_dependencies d join tasks t on t.id = d.depends_on where d.task_id = ?
    order by d.depends_on limit ${shownResults}) b
  union all select * from (
    select 'after' as side, task_id as id, '' as kind, '' as title, null as text, null as extra, 0 as at,
      null as key, null as state
    from task_dependencies where depends_on = ? order by task_id limit 200) f
  union all select 'part', id, '', '', null, null, 0, null, null from tasks where parent_id = ?
  union all select * from (
    select 'event' as side, id, type as kind, '' as title, data as text, actor as extra, at,
      null as key, null as state
    from events where subject = 'task' and subject_id = ? and type in (${historyTypes.map((type) => `'${type}'`).join(', ')})
    order by id desc limit ${oneLook}) e
  union all select * from (
    select 'tree' as side, id, status as kind, branch as title, path as text, base_branch as extra, 0 as at,
      null as key, null as state
    from worktrees where task_id = ? and status not in ('creating', 'removing') order by id desc limit 1) w
  union all select * from (
    select 'message', 0, '', '', null, null, 0, null, null from messages limit 1) m`;

/** What `surroundingsOf` needs to know, by the id of the task alone: so it can be read with the task itself. */
export const readNeighbours = (sql: Sql, id: number): Promise<SurroundingRow[]> =>
  sql.all<SurroundingRow>(everything, id, id, id, String(id), id);

export async function surroundingsOf(
  sql: Sql,
  task: Pick<TaskRow, 'id' | 'status' | 'unfinished_dependencies'>,
  rows: readonly SurroundingRow[],
): Promise<Surroundings> {
  const of = (side: SurroundingRow['side']) => rows.filter((row) => row.side === side);
  const idsOf = (side: SurroundingRow['side']) => of(side).map((row) => row.id);
  const before = of('before');
  const events = of('event').map(({ at, kind, extra, text }) => ({ at, type: kind, actor: extra, data: text }));
  return {
    dependencies: before.length < shownResults ? idsOf('before') : await readDependencyIds(sql, task.id),
    dependents: idsOf('after'),
    subtasks: idsOf('part').sort((a, b) => a - b),
    dependencyResults: before.map((row) => ({
      id: row.id,
      title: row.title,
      status: row.kind as TaskStatus,
      result: row.text,
      error: row.extra,
    })),
    worktree: of('tree').map(toWorktree)[0],
    history: await historyFrom(sql, task, events.reverse()),
    openDependencies: await openOf(sql, task, before),
    hasMessages: of('message').length > 0,
  };
}

/** Of more dependencies than were read here, the first open ones may be others. */
async function openOf(
  sql: Sql,
  task: Pick<TaskRow, 'id' | 'unfinished_dependencies'>,
  before: readonly SurroundingRow[],
): Promise<OpenDependency[]> {
  if (task.unfinished_dependencies === 0) return [];
  if (before.length === shownResults) return readOpenDependencies(sql, task.id);
  const open = before.filter(({ state }) => state !== 'satisfied').slice(0, shownOpen);
  return open.map(({ id, key, kind }) => ({ id, key, status: kind as TaskStatus }));
}

const toWorktree = ({ kind, title, text, extra }: SurroundingRow): TaskWorktree => ({
  status: kind as WorktreeStatus,
  branch: title,
  path: text ?? '',
  baseBranch: extra,
});
