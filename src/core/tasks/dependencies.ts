import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';

/** Makes a task wait for others, as far as those are not done. */
export async function addDependencies(sql: Sql, taskId: number, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    await sql.run('insert into task_dependencies (task_id, depends_on) values (?, ?)', taskId, id);
  }
  await weighDependencies(sql, taskId);
}

/**
 * Gives each edge of a task the state that its dependency is in, and makes the task's counters equal to its edges.
 * True of every pending task at the end of every transaction; a task under way keeps what it was started on.
 */
export async function weighDependencies(sql: Sql, taskId: number): Promise<void> {
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

/** A dependency is done: those that waited for it wait for one less. */
export async function satisfyDependents(sql: Sql, taskId: number): Promise<void> {
  const woken = await sql.run(
    `update tasks set
       unfinished_dependencies = unfinished_dependencies - 1,
       failed_dependencies = failed_dependencies -
         (select count(*) from task_dependencies where task_id = tasks.id and depends_on = ? and state = 'failed')
     where id in (select task_id from task_dependencies where depends_on = ? and state <> 'satisfied')`,
    taskId,
    taskId,
  );
  if (woken === 0) return;
  await sql.run(
    "update task_dependencies set state = 'satisfied' where depends_on = ? and state <> 'satisfied'",
    taskId,
  );
}

/** Throws `dependency_cycle` if any of `dependencies` waits, through whatever others, for `taskId`. */
export async function refuseCycle(sql: Sql, taskId: number, dependencies: readonly number[]): Promise<void> {
  const waiting = new Set((await sql.all<{ id: number }>(allThatWaitFor, taskId)).map((row) => row.id));
  for (const dependency of dependencies) {
    if (dependency === taskId) throw cycleError([taskId, taskId]);
    if (waiting.has(dependency)) throw cycleError([taskId, ...(await findPath(sql, dependency, taskId))]);
  }
}

/** Read in this direction because it is the short one: what waits for an open task is open too. */
const allThatWaitFor = `with recursive waiting (id) as (
    select task_id from task_dependencies where depends_on = ?
    union
    select d.task_id from task_dependencies d join waiting w on d.depends_on = w.id
  ) select id from waiting`;

/** The shortest way from one task to another along its dependencies, both ends included. */
async function findPath(sql: Sql, from: number, to: number): Promise<number[]> {
  const cameFrom = new Map<number, number>();
  const queue = [from];
  for (const id of queue) {
    if (id === to) break;
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
