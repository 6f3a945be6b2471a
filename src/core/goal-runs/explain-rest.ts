import type { Sql } from '../../store/sql.js';
import { runGoal } from '../jobs/job.js';
import { explainWaiting } from '../tasks/ready.js';
import type { TaskRow } from '../tasks/task.js';

/** A task that is not done, and why. */
export interface UndoneTask {
  task_id: number;
  title: string;
  because: string;
}

/** How many are named; the rest are counted. */
const most = 10;

/** Why the tasks of a goal that are not done are not: the failed ones first, which the others may wait for. */
export async function explainRest(sql: Sql, goalId: number, runId: string): Promise<UndoneTask[]> {
  const rows = await sql.all<TaskRow & { has_cancelled_job: number }>(
    `select *, ${hasCancelledJob} as has_cancelled_job from tasks
     where goal_id = ? and status in ('failed', 'in_progress', 'pending')
     order by case status when 'failed' then 0 when 'in_progress' then 1 else 2 end, id limit ?`,
    runId,
    goalId,
    most,
  );
  const undone: UndoneTask[] = [];
  for (const row of rows) {
    undone.push({ task_id: row.id, title: row.title.slice(0, 80), because: await explain(sql, row) });
  }
  return undone;
}

/** True of a task whose job in this run was cancelled by hand; takes the run's id. */
export const hasCancelledJob =
  "exists (select 1 from jobs where parent_id = ? and task_id = tasks.id and status = 'cancelled')";

async function explain(sql: Sql, row: TaskRow & { has_cancelled_job: number }): Promise<string> {
  if (row.status === 'failed') return `It failed: ${(row.error ?? 'no reason given').slice(0, 200)}`;
  if (row.status === 'in_progress') return `It is held by ${row.claimed_by}.`;
  const waiting = await explainWaiting(sql, row);
  if (waiting) return waiting;
  return row.has_cancelled_job === 1 ? 'Its job was cancelled, and the run leaves it alone.' : 'It is ready.';
}

/**
 * Whether something will happen without anyone mending anything: someone is at work on a task of the goal, or on one
 * of another goal that it waits for, or a task may not be started yet.
 */
export async function isMovedByOthers(sql: Sql, goalId: number): Promise<boolean> {
  const moving = await sql.get(
    `select 1 where exists (select 1 from tasks where goal_id = ? and status = 'in_progress')
       or exists (select 1 from tasks
         where goal_id = ? and status = 'pending' and unfinished_dependencies = 0 and is_held = 1)
       or exists (select 1 from tasks t
         join task_dependencies d on d.task_id = t.id and d.state = 'waiting'
         join tasks o on o.id = d.depends_on
         where t.goal_id = ? and t.status = 'pending' and o.goal_id is not t.goal_id and (o.status = 'in_progress'
           or exists (select 1 from jobs r
             where r.goal_id = o.goal_id and r.type = '${runGoal}' and r.status = 'running')))`,
    goalId,
    goalId,
    goalId,
  );
  return moving !== undefined;
}
