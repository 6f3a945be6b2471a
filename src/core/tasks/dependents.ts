import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { completeGoalIfDone, reopenGoal } from './goal.js';
import { type FailurePolicy, type TaskRow, taskName } from './task.js';

/*
 * What a change of one task means for the tasks that depend on it, and for their goals. A dependency is `waiting`,
 * `satisfied` or `failed`; each task counts those that are not satisfied, and those that have failed.
 *
 * Invariant at the end of every transaction: the states and counters of a pending task fit the tasks it depends on, and
 * no pending task has a failed dependency on which its policy is `skip` or `cancel`. A task in progress or ended keeps
 * the states it was started with.
 */

/**
 * After the end of a task: its dependents go on or apply their policies, and its goal is completed if that was all.
 * Resolves to whether any task waited for it.
 */
export async function propagateEnd(
  sql: Sql,
  { id, goal_id }: Pick<TaskRow, 'id' | 'goal_id'>,
  status: 'completed' | 'failed' | 'cancelled',
  change: Change,
): Promise<boolean> {
  let hadDependents = true;
  if (status === 'completed') hadDependents = await satisfyDependents(sql, id);
  else await failDependents(sql, id, change);
  await completeGoalIfDone(sql, goal_id, change);
  return hadDependents;
}

/** After an ended task became pending again: its pending dependents wait for it again. */
export async function propagateReopening(sql: Sql, taskId: number, change: Change): Promise<void> {
  await recountDependencies(sql, taskId);
  await reopenDependents(sql, taskId, change);
}

/** After a task became pending: its dependencies may have changed in the meantime, and its policy may stop it. */
export async function reviewPending(sql: Sql, taskId: number, change: Change): Promise<void> {
  await recountDependencies(sql, taskId);
  await applyOwnPolicy(sql, taskId, change);
}

/** After an edit of a task's dependencies or policy. A task that the old policy had stopped is opened again first. */
export async function reviewEdited(
  sql: Sql,
  row: Pick<TaskRow, 'id' | 'status' | 'stopped_by'>,
  hasNewPolicy: boolean,
  change: Change,
): Promise<void> {
  if (row.stopped_by !== null && hasNewPolicy) await reopenStopped(sql, row.id, change);
  else if (row.status === 'pending') await recountDependencies(sql, row.id);
  await applyOwnPolicy(sql, row.id, change);
}

/**
 * Throws `conflict` if the policy of a failed or cancelled task would stop it again as soon as it is reopened. Reads the
 * dependencies themselves, as the states that the task has kept may be old.
 */
export async function refuseStoppedByPolicy(sql: Sql, task: PolicyOf): Promise<void> {
  const { id, key, on_dependency_failure: policy } = task;
  const cause = await wouldBeStopped(sql, task);
  if (!cause) return;
  throw new RuntimeError(
    'conflict',
    `Task ${taskName({ id, key })} cannot be reopened: it depends on task ${taskName(cause)}, which is ${cause.status}, and its ` +
      `on_dependency_failure is ${policy}.`,
    `Set task ${taskName(cause)} to pending and this one comes back with it, or edit_task on_dependency_failure to "run" first.`,
  );
}

type PolicyOf = Pick<TaskRow, 'id' | 'key' | 'on_dependency_failure'>;

/** The dependency for whose sake the policy of a task would stop it as soon as it is reopened. */
export async function wouldBeStopped(
  sql: Sql,
  { id, on_dependency_failure: policy }: PolicyOf,
): Promise<Pick<TaskRow, 'id' | 'key' | 'status'> | undefined> {
  if (!stops(policy)) return undefined;
  return sql.get(
    `select t.id, t.key, t.status from task_dependencies d join tasks t on t.id = d.depends_on
     where d.task_id = ? and t.status in ('failed', 'cancelled') and t.is_skipped = 0 order by t.id limit 1`,
    id,
  );
}

const stops = (policy: FailurePolicy): policy is 'skip' | 'cancel' => policy === 'skip' || policy === 'cancel';

/** Makes the states of a task's dependencies, and its two counters, fit the tasks that it depends on. */
async function recountDependencies(sql: Sql, taskId: number): Promise<void> {
  await sql.alone();
  await sql.run(
    `update task_dependencies set state = (
       select case
         when d.status = 'completed' or d.is_skipped = 1 then 'satisfied'
         when d.status not in ('failed', 'cancelled') then 'waiting'
         when t.on_dependency_failure = 'run' then 'satisfied'
         else 'failed' end
       from tasks d, tasks t where d.id = task_dependencies.depends_on and t.id = task_dependencies.task_id)
     where task_id = ?`,
    taskId,
  );
  await sql.run(
    `update tasks set
       unfinished_dependencies = (select count(*) from task_dependencies where task_id = tasks.id and state <> 'satisfied'),
       failed_dependencies = (select count(*) from task_dependencies where task_id = tasks.id and state = 'failed')
     where id = ?`,
    taskId,
  );
}

/** A dependency is done: every task that waited for it has one less to wait for. Resolves to whether there was one. */
async function satisfyDependents(sql: Sql, taskId: number): Promise<boolean> {
  const changed = await sql.run(
    `update tasks set
       unfinished_dependencies = unfinished_dependencies - 1,
       failed_dependencies = failed_dependencies -
         (select count(*) from task_dependencies where task_id = tasks.id and depends_on = ? and state = 'failed')
     where id in (select task_id from task_dependencies where depends_on = ? and state <> 'satisfied')`,
    taskId,
    taskId,
  );
  if (changed === 0) return false;
  await sql.send(
    "update task_dependencies set state = 'satisfied' where depends_on = ? and state <> 'satisfied'",
    taskId,
  );
  return true;
}

type Dependent = Pick<TaskRow, 'id' | 'status' | 'on_dependency_failure' | 'goal_id'>;

/**
 * A task has failed or was cancelled: the policy of each dependent applies, and of theirs in turn. Completes the goals
 * whose last open task was stopped by this.
 */
export async function failDependents(sql: Sql, taskId: number, change: Change): Promise<void> {
  await sql.alone();
  const goals = new Set<number>();
  const failed = [taskId];
  for (let cause = failed.pop(); cause !== undefined; cause = failed.pop()) {
    const dependents = await sql.all<Dependent>(
      `select t.id, t.status, t.on_dependency_failure, t.goal_id
       from task_dependencies d join tasks t on t.id = d.task_id where d.depends_on = ? and d.state = 'waiting'`,
      cause,
    );
    for (const { id, status, on_dependency_failure: policy, goal_id } of dependents) {
      await setState(sql, id, cause, policy === 'run' ? 'satisfied' : 'failed');
      if (status !== 'pending' || !stops(policy)) continue;
      await stop(sql, id, cause, policy, change);
      if (goal_id !== null) goals.add(goal_id);
      if (policy === 'skip') await satisfyDependents(sql, id);
      else failed.push(id);
    }
  }
  for (const goal of goals) await completeGoalIfDone(sql, goal, change);
}

async function setState(sql: Sql, taskId: number, dependsOn: number, state: 'satisfied' | 'failed'): Promise<void> {
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

/** Applies the policy of a pending task to dependencies that failed before, so that the order of events does not matter. */
async function applyOwnPolicy(sql: Sql, taskId: number, change: Change): Promise<void> {
  const row = await sql.get<Dependent & { cause: number }>(
    `select id, status, on_dependency_failure, goal_id,
       (select min(depends_on) from task_dependencies where task_id = tasks.id and state = 'failed') as cause
     from tasks where id = ? and status = 'pending' and failed_dependencies > 0`,
    taskId,
  );
  if (!row || !stops(row.on_dependency_failure)) return;
  await stop(sql, row.id, row.cause, row.on_dependency_failure, change);
  if (row.on_dependency_failure === 'skip') await satisfyDependents(sql, row.id);
  else await failDependents(sql, row.id, change);
  await completeGoalIfDone(sql, row.goal_id, change);
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

/** The policy that stopped a task has been changed: the task is open again, and the new policy decides. */
async function reopenStopped(sql: Sql, taskId: number, change: Change): Promise<void> {
  if (!(await open(sql, taskId, 'stopped_by is not null', change))) return;
  await recordEvent(sql, { ...change, subject: 'task', subjectId: taskId, type: 'reopened' });
  await propagateReopening(sql, taskId, change);
}

/**
 * An ended task is open again: its pending dependents wait for it again. Those that its failure had stopped
 * are reopened too, unless another failed dependency stops them as well or their goal is cancelled. Dependents in
 * progress or done stay as they are.
 */
async function reopenDependents(sql: Sql, taskId: number, change: Change): Promise<void> {
  const reopened = [taskId];
  for (let cause = reopened.pop(); cause !== undefined; cause = reopened.pop()) {
    const dependents = await sql.all<Pick<TaskRow, 'id'>>(
      `select t.id from task_dependencies d join tasks t on t.id = d.task_id
       where d.depends_on = ? and (t.status = 'pending' or t.stopped_by is not null)`,
      cause,
    );
    for (const { id } of dependents) {
      await recountDependencies(sql, id);
      if (await revive(sql, id, cause, change)) reopened.push(id);
    }
  }
}

/** Opens a stopped task if no failed dependency is left; otherwise names the next one as its cause. */
async function revive(sql: Sql, id: number, cause: number, change: Change): Promise<boolean> {
  if (await open(sql, id, 'stopped_by is not null and failed_dependencies = 0', change)) {
    const data = { because_of: cause };
    await recordEvent(sql, { ...change, subject: 'task', subjectId: id, type: 'reopened', data });
    return true;
  }
  // Without another failed dependency it is its cancelled goal that stops it, and there is no cause to name.
  await sql.run(
    `update tasks set stopped_by =
       (select min(depends_on) from task_dependencies where task_id = tasks.id and state = 'failed')
     where id = ? and stopped_by = ?`,
    id,
    cause,
  );
  return false;
}

/** Makes a stopped task pending, and its goal active; tasks of a cancelled goal stay stopped. */
async function open(sql: Sql, id: number, condition: string, change: Change): Promise<boolean> {
  const row = await sql.get<Pick<TaskRow, 'goal_id'>>(
    `update tasks set status = 'pending', stopped_by = null, is_skipped = 0, error = null, completed_at = null, updated_at = ?
     where id = ? and status = 'cancelled' and ${condition}
       and not exists (select 1 from goals g where g.id = tasks.goal_id and g.status = 'cancelled')
     returning goal_id`,
    change.at,
    id,
  );
  if (!row) return false;
  await reopenGoal(sql, row.goal_id, change);
  return true;
}
