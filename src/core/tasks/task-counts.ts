import type { StoredCounts } from '../../store/check-counts.js';
import type { Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';

/** What the daily check compares. */
export const storedTaskCounts: StoredCounts = {
  table: 'task_counts',
  view: 'counted_tasks',
  keys: ['goal_id', 'project', 'state'],
};

/** The states under which tasks are counted; an overdue task counts twice, under its state and as overdue. */
export const countedStates = [
  'ready',
  'waiting',
  'in_progress',
  'completed',
  'failed',
  'cancelled',
  'overdue',
] as const;
export type TaskCounts = Record<(typeof countedStates)[number], number>;

/** Whose tasks are counted: those of a goal, of a project, of a project and of none, or all. */
export interface CountScope {
  goalId?: number | undefined;
  project?: string | undefined;
  withinProject?: string | undefined;
}

/** How many tasks are in each state, read off the stored counts: it costs the same for a million tasks. */
export async function readTaskCounts(
  sql: Sql,
  { goalId = 0, project, withinProject }: CountScope,
): Promise<TaskCounts> {
  const found = where(is('goal_id = ?', goalId), is('project = ?', project), is("project in (?, '')", withinProject));
  const rows = await sql.all<{ state: keyof TaskCounts; count: number }>(
    `select state, cast(sum(count) as bigint) as count from task_counts ${found.text} group by state`,
    ...found.values,
  );
  const counts: TaskCounts = {
    ready: 0,
    waiting: 0,
    in_progress: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    overdue: 0,
  };
  for (const { state, count } of rows) counts[state] = count;
  return counts;
}
