import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';

const hasEnded = "status in ('completed', 'failed', 'cancelled') and coalesce(completed_at, updated_at) < ?";

/**
 * Deletes a task that ended before a time, unless something still needs it: a dependent, an active goal, a job, or a
 * worker's slot. Resolves to the number of rows deleted.
 */
export function deleteEndedTask(sql: Sql, id: number, before: EpochMs): Promise<number> {
  return sql.run(
    `delete from tasks where id = ? and ${hasEnded}
       and not exists (select 1 from task_dependencies where depends_on = tasks.id)
       and not exists (select 1 from goals where id = tasks.goal_id and status = 'active')
       and not exists (select 1 from jobs where task_id = tasks.id)
       and not exists (select 1 from worker_slots where task_id = tasks.id)`,
    id,
    before,
  );
}

/** Deletes a goal that ended before a time and has no tasks and no jobs left. Resolves to the number of rows deleted. */
export function deleteEndedGoal(sql: Sql, id: number, before: EpochMs): Promise<number> {
  return sql.run(
    `delete from goals where id = ? and ${hasEnded}
       and not exists (select 1 from tasks where goal_id = goals.id)
       and not exists (select 1 from jobs where goal_id = goals.id)`,
    id,
    before,
  );
}

/** Deletes every task. Nothing may refer to one any more: no slot, no job. Resolves to the number of tasks. */
export async function deleteAllTasks(sql: Sql): Promise<number> {
  await sql.run('update tasks set stopped_by = null where stopped_by is not null');
  await sql.run('delete from task_dependencies');
  return sql.run('delete from tasks');
}
