import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import type { FailurePolicy, TaskStatus } from './task.js';

export interface Change {
  at: number;
  actor?: Actor | undefined;
}

/** Adds edges to a task, with the state that each dependency is in, and counts them on its row. */
export async function addDependencies(
  sql: Sql,
  taskId: number,
  policy: FailurePolicy,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0) return;
  for (const id of ids) {
    await sql.run(
      `insert into task_dependencies (task_id, depends_on, state)
       select ?, id, case
         when status = 'completed' or is_skipped = 1 then 'satisfied'
         when status in ('failed', 'cancelled') then case when ? = 'run' then 'satisfied' else 'failed' end
         else 'waiting' end
       from tasks where id = ?`,
      taskId,
      policy,
      id,
    );
  }
  await recountDependencies(sql, taskId);
}

/** Makes a task's counters equal to its edges. */
export async function recountDependencies(sql: Sql, taskId: number): Promise<void> {
  await sql.run(
    `update tasks set
       unfinished_dependencies = (select count(*) from task_dependencies where task_id = tasks.id and state <> 'satisfied'),
       failed_dependencies = (select count(*) from task_dependencies where task_id = tasks.id and state = 'failed')
     where id = ?`,
    taskId,
  );
}

/** Throws `dependency_cycle` if any of `dependencies` waits, through whatever others, for `taskId`. */
export async function refuseCycle(sql: Sql, taskId: number, dependencies: readonly number[]): Promise<void> {
  for (const dependency of dependencies) {
    if (dependency === taskId) throw cycleError([taskId, taskId]);
    const meets = await sql.get(`${upstreamOf} select 1 from upstream where id = ? limit 1`, dependency, taskId);
    if (meets) throw cycleError([taskId, ...(await findPath(sql, dependency, taskId))]);
  }
}

/** All that a task waits for, directly or through others; takes the task's id. */
const upstreamOf = `with recursive upstream (id) as (
  select depends_on from task_dependencies where task_id = ?
  union
  select d.depends_on from task_dependencies d join upstream u on d.task_id = u.id
)`;

/** The shortest way from one task to another along its dependencies, both ends included. */
async function findPath(sql: Sql, from: number, to: number): Promise<number[]> {
  const cameFrom = new Map<number, number>();
  const queue = [from];
  for (let id = queue.shift(); id !== undefined && id !== to; id = queue.shift()) {
    const next = await sql.all<{ depends_on: number }>(
      'select depends_on from task_dependencies where task_id = ?',
      id,
    );
    for (const { depends_on } of next) {
      if (depends_on === from || cameFrom.has(depends_on)) continue;
      cameFrom.set(depends_on, id);
      queue.push(depends_on);
    }
  }
  const path = [to];
  for (let id = cameFrom.get(to); id !== undefined; id = cameFrom.get(id)) path.unshift(id);
  return path;
}

/** `path` runs along "depends on" from a task back to itself. */
export function cycleError(path: readonly (number | string)[]): RuntimeError {
  return new RuntimeError(
    'dependency_cycle',
    `These tasks would wait for each other: ${path.join(' -> ')}.`,
    'Leave out one of these dependencies and repeat the call; nothing was changed.',
  );
}

/** A dependency is done: those that waited for it wait for one less. */
export async function satisfyDependents(sql: Sql, taskId: number): Promise<void> {
  await sql.run(
    `update tasks set
       unfinished_dependencies = unfinished_dependencies - 1,
       failed_dependencies = failed_dependencies -
         (select state = 'failed' from task_dependencies where task_id = tasks.id and depends_on = ?)
     where id in (select task_id from task_dependencies where depends_on = ? and state <> 'satisfied')`,
    taskId,
    taskId,
  );
  await sql.run(
    "update task_dependencies set state = 'satisfied' where depends_on = ? and state <> 'satisfied'",
    taskId,
  );
}

interface DependentRow {
  id: number;
  status: TaskStatus;
  on_dependency_failure: FailurePolicy;
  goal_id: number | null;
}

/**
 * A task has failed or was cancelled: each dependent's own policy applies, through as many levels as it reaches.
 * Resolves to the goals that lost a task by it.
 */
export async function failDependents(sql: Sql, taskId: number, change: Change): Promise<Set<number>> {
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
  return goals;
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
 * come back with it. A dependent that has already been worked on keeps what it has.
 */
export async function reopenDependents(sql: Sql, taskId: number, change: Change): Promise<void> {
  const reopened = [taskId];
  for (let cause = reopened.pop(); cause !== undefined; cause = reopened.pop()) {
    await sql.run(
      `update task_dependencies set state = 'waiting' where depends_on = ? and (state = 'failed' or (state = 'satisfied'
         and exists (select 1 from tasks t where t.id = task_dependencies.task_id
           and (t.status = 'pending' or t.stopped_by is not null))))`,
      cause,
    );
    const dependents = await sql.all<{ task_id: number }>(
      'select task_id from task_dependencies where depends_on = ?',
      cause,
    );
    for (const { task_id } of dependents) await recountDependencies(sql, task_id);

    const stopped = await sql.all<{ id: number }>(
      `update tasks set status = 'pending', stopped_by = null, is_skipped = 0, error = null, completed_at = null, updated_at = ?
       where stopped_by = ? and status = 'cancelled' returning id`,
      change.at,
      cause,
    );
    for (const { id } of stopped) {
      await recordEvent(sql, {
        ...change,
        subject: 'task',
        subjectId: id,
        type: 'reopened',
        data: { because_of: cause },
      });
      reopened.push(id);
    }
  }
}
