import type { Database, Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';

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

/** A count that is not that of the rows. */
export interface WrongCount {
  goalId: number;
  project: string;
  state: string;
  stored: number;
  counted: number;
}

/**
 * Compares the stored counts with the rows, and corrects them. Resolves to those that were wrong, a few of them; triggers
 * keep the counts, so there are none unless something else has written to the file.
 */
export async function checkTaskCounts(db: Database): Promise<WrongCount[]> {
  if ((await differences(db)).length === 0) return [];
  return db.transaction(async (sql) => {
    // Looked at again under the lock.
    const wrong = await differences(sql);
    if (wrong.length === 0) return [];
    await sql.run('delete from task_counts');
    await sql.run(
      `insert into task_counts (goal_id, project, state, count)
       select goal_id, project, state, count from counted_tasks`,
    );
    return wrong;
  });
}

function differences(sql: Sql): Promise<WrongCount[]> {
  return sql.all<WrongCount>(
    `select goal_id as "goalId", project, state, sum(stored) as stored, sum(counted) as counted
     from (
       select goal_id, project, state, count as stored, 0 as counted from task_counts
       union all
       select goal_id, project, state, 0, count from counted_tasks
     ) as both_counts
     group by goal_id, project, state having sum(stored) <> sum(counted) limit 5`,
  );
}
