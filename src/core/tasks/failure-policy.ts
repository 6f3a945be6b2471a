import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { satisfyDependents, weighDependencies } from './dependencies.js';
import { completeGoalIfDone, reopenGoal } from './goal-status.js';
import type { FailurePolicy, TaskRow, TaskStatus } from './task.js';

interface DependentRow {
  id: number;
  status: TaskStatus;
  on_dependency_failure: FailurePolicy;
  goal_id: number | null;
}

/**
 * A task has failed or was cancelled: each dependent's own policy applies, through as many levels as it reaches.
 * Goals whose last open task was stopped by it are completed.
 */
export async function failDependents(sql: Sql, taskId: number, change: Change): Promise<void> {
  const goals = new Set<number>();
  const failed = [taskId];
  for (let cause = failed.pop(); cause !== undefined; cause = failed.pop()) {
    const dependents = await sql.all<DependentRow>(
      `select t.id, t.status, t.on_dependency_failure, t.goal_id
       from task_dependencies d join tasks t on t.id = d.task_id where d.depends_on = ? and d.state = 'waiting'`,
      cause,
    );
    for (const dependent of dependents) {
      const policy = dependent.on_dependency_failure;
      await markEdge(sql, dependent.id, cause, policy === 'run' ? 'satisfied' : 'failed');
      if (dependent.status !== 'pending' || policy === 'block' || policy === 'run') continue;
      await stop(sql, dependent.id, cause, policy, change);
      if (dependent.goal_id !== null) goals.add(dependent.goal_id);
      if (policy === 'skip') await satisfyDependents(sql, dependent.id);
      else failed.push(dependent.id);
    }
  }
  for (const goal of goals) await completeGoalIfDone(sql, goal, change);
}

/**
 * Applies a pending task's policy to dependencies that have failed already, when it comes to the board, changes what
 * it waits for, or comes back into the line: the order in which things happened makes no difference.
 */
export async function applyOwnPolicy(sql: Sql, taskId: number, change: Change): Promise<void> {
  const row = await sql.get<DependentRow & { cause: number }>(
    `select id, status, on_dependency_failure, goal_id,
       (select min(depends_on) from task_dependencies where task_id = tasks.id and state = 'failed') as cause
     from tasks where id = ? and status = 'pending' and failed_dependencies > 0
       and on_dependency_failure in ('skip', 'cancel')`,
    taskId,
  );
  if (!row) return;
  const policy = row.on_dependency_failure === 'skip' ? 'skip' : 'cancel';
  await stop(sql, row.id, row.cause, policy, change);
  if (policy === 'skip') await satisfyDependents(sql, row.id);
  else await failDependents(sql, row.id, change);
  await completeGoalIfDone(sql, row.goal_id, change);
}

/** The policy that stopped a task has been changed: it is open again, and the new one decides. */
export async function reconsiderStopped(sql: Sql, taskId: number, change: Change): Promise<void> {
  const row = await open(sql, taskId, 'stopped_by is not null', change);
  if (!row) return;
  await recordEvent(sql, { ...change, subject: 'task', subjectId: taskId, type: 'reopened' });
  await weighDependencies(sql, taskId);
  await reopenDependents(sql, taskId, change);
}

async function markEdge(sql: Sql, taskId: number, dependsOn: number, state: 'satisfied' | 'failed'): Promise<void> {
  await sql.run(
    'update task_dependencies set state = ? where task_id = ? and depends_on = ?',
    state,
    taskId,
    dependsOn,
  );
  await sql.run(
    state === 'satisfied'
      ? 'update tasks set unfinished_dependencies = unfinished_dependencies - 1 where id = ?'
      : 'update tasks set failed_dependencies = failed_dependencies + 1 where id = ?',
    taskId,
  );
}

async function stop(sql: Sql, id: number, cause: number, policy: 'skip' | 'cancel', change: Change): Promise<void> {
  const type = policy === 'skip' ? 'skipped' : 'cancelled';
  await sql.run(
    `update tasks set status = 'cancelled', stopped_by = ?, is_skipped = ?, error = ?, completed_at = ?, updated_at = ?
     where id = ?`,
    cause,
    policy === 'skip' ? 1 : 0,
    `${policy === 'skip' ? 'Skipped' : 'Cancelled'}, because task ${cause} that it depends on did not complete.`,
    change.at,
    change.at,
    id,
  );
  await recordEvent(sql, { ...change, subject: 'task', subjectId: id, type, data: { because_of: cause } });
}

/**
 * A failed or cancelled task is open again: its dependents wait for it again, and those that its failure had stopped
 * come back with it, unless another failed dependency stops them as well or their goal has been cancelled. A dependent
 * that is under way or done keeps what it has.
 */
export async function reopenDependents(sql: Sql, taskId: number, change: Change): Promise<void> {
  const reopened = [taskId];
  for (let cause = reopened.pop(); cause !== undefined; cause = reopened.pop()) {
    const dependents = await sql.all<{ id: number }>(
      `select t.id from task_dependencies d join tasks t on t.id = d.task_id
       where d.depends_on = ? and (t.status = 'pending' or t.stopped_by is not null)`,
      cause,
    );
    for (const { id } of dependents) {
      await weighDependencies(sql, id);
      if (await revive(sql, id, cause, change)) reopened.push(id);
    }
  }
}

async function revive(sql: Sql, id: number, cause: number, change: Change): Promise<boolean> {
  if (await open(sql, id, 'stopped_by is not null and failed_dependencies = 0', change)) {
    const data = { because_of: cause };
    await recordEvent(sql, { ...change, subject: 'task', subjectId: id, type: 'reopened', data });
    return true;
  }
  // Another failed dependency keeps it stopped and is the one to name from now on; or its goal does, and none is.
  await sql.run(
    `update tasks set stopped_by =
       (select min(depends_on) from task_dependencies where task_id = tasks.id and state = 'failed')
     where id = ? and stopped_by = ?`,
    id,
    cause,
  );
  return false;
}

/** Nothing of a cancelled goal comes back by itself. */
async function open(sql: Sql, id: number, condition: string, change: Change): Promise<TaskRow | undefined> {
  const row = await sql.get<TaskRow>(
    `update tasks set status = 'pending', stopped_by = null, is_skipped = 0, error = null, completed_at = null, updated_at = ?
     where id = ? and status = 'cancelled' and ${condition}
       and not exists (select 1 from goals g where g.id = tasks.goal_id and g.status = 'cancelled')
     returning *`,
    change.at,
    id,
  );
  if (row) await reopenGoal(sql, row.goal_id, change);
  return row;
}
