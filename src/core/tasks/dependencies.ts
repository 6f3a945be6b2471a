import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';

/**
 * Stores which tasks a task depends on. The states of these dependencies and the task's counters are set by
 * `dependents.ts`, which must be called next.
 */
export async function insertDependencies(sql: Sql, taskId: number, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    await sql.run('insert into task_dependencies (task_id, depends_on) values (?, ?)', taskId, id);
  }
}

/** Replaces the dependencies of a task, as `insertDependencies` does. Throws `dependency_cycle`. */
export async function replaceDependencies(sql: Sql, taskId: number, ids: readonly number[]): Promise<void> {
  await refuseCycle(sql, taskId, ids);
  await sql.run('delete from task_dependencies where task_id = ?', taskId);
  await insertDependencies(sql, taskId, ids);
}

/** The keys of the tasks that these depend on, by id; tasks without a key are left out. */
export async function dependencyKeys(sql: Sql, tasks: readonly { id: number }[]): Promise<Map<number, string>> {
  const keys = new Map<number, string>();
  for (const { id } of tasks) {
    const rows = await sql.all<{ id: number; key: string }>(
      `select t.id, t.key from task_dependencies d join tasks t on t.id = d.depends_on
       where d.task_id = ? and t.key is not null`,
      id,
    );
    for (const row of rows) keys.set(row.id, row.key);
  }
  return keys;
}

/** Throws `dependency_cycle` if one of `dependencies` waits for `taskId`, directly or through others. */
async function refuseCycle(sql: Sql, taskId: number, dependencies: readonly number[]): Promise<void> {
  const waiting = new Set((await sql.all<{ id: number }>(allDependents, taskId)).map((row) => row.id));
  for (const dependency of dependencies) {
    if (dependency === taskId) throw cycleError([taskId, taskId]);
    if (waiting.has(dependency)) throw cycleError([taskId, ...(await findPath(sql, dependency, taskId))]);
  }
}

/** Searched in this direction because it is the shorter one: only open tasks wait for an open task. */
const allDependents = `with recursive waiting (id) as (
    select task_id from task_dependencies where depends_on = ?
    union
    select d.task_id from task_dependencies d join waiting w on d.depends_on = w.id
  ) select id from waiting`;

/** The shortest path from one task to another along its dependencies, both ends included. */
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

/**
 * Sorts the members of a batch so that each comes after those it depends on, and otherwise in the order given. Takes the
 * indexes of each member's dependencies and returns indexes. Throws `dependency_cycle`, naming the members by `nameOf`.
 */
export function dependencyOrder(
  dependencies: readonly (readonly number[])[],
  nameOf: (index: number) => string,
): number[] {
  const order: number[] = [];
  const placed = new Set<number>();
  const path: number[] = [];

  function place(index: number): void {
    if (placed.has(index)) return;
    if (path.includes(index)) throw cycleError([...path.slice(path.indexOf(index)), index].map(nameOf));
    path.push(index);
    for (const dependency of dependencies[index] ?? []) place(dependency);
    path.pop();
    placed.add(index);
    order.push(index);
  }

  for (const index of dependencies.keys()) place(index);
  return order;
}

/** `path` follows dependencies from a task back to itself. */
function cycleError(path: readonly (number | string)[]): RuntimeError {
  return new RuntimeError(
    'dependency_cycle',
    `These tasks would wait for each other: ${path.join(' -> ')}.`,
    'Leave out one of these dependencies and repeat the call; nothing was changed.',
  );
}
