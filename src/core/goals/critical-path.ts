import type { Sql } from '../../store/sql.js';

interface Edge {
  task_id: number;
  depends_on: number;
}

/**
 * The critical path of a goal: the ids of the longest chain of its open tasks along their dependencies, first task
 * first. Every task counts the same, as there are no estimates. Of several longest chains it is the oldest.
 */
export async function findCriticalPath(sql: Sql, goalId: number): Promise<number[]> {
  // Only the tasks that wait for others of the goal are fetched: most of those of a large goal are in no chain.
  const edges = await sql.all<Edge>(
    `select d.task_id, d.depends_on from tasks t join task_dependencies d on d.task_id = t.id
     where t.goal_id = ? and t.status in ('pending', 'in_progress') and exists (
       select 1 from tasks p where p.id = d.depends_on and p.goal_id = t.goal_id and p.status in ('pending', 'in_progress'))`,
    goalId,
  );
  const chain = longestChain(edges.sort((a, b) => a.task_id - b.task_id || a.depends_on - b.depends_on));
  if (chain.length > 0) return chain;
  const oldest = await sql.get<{ id: number | null }>(
    "select min(id) as id from tasks where goal_id = ? and status in ('pending', 'in_progress')",
    goalId,
  );
  return oldest?.id == null ? [] : [oldest.id];
}

/** The longest chain of the tasks that edges connect; none without edges. Exported for its tests. */
export function longestChain(edges: readonly Edge[]): number[] {
  const ids = new Set(edges.flatMap(({ task_id, depends_on }) => [task_id, depends_on]));
  // By their ids, so that of chains of one length the oldest comes first.
  const waitsFor = new Map([...ids].sort((a, b) => a - b).map((id): [number, number[]] => [id, []]));
  for (const { task_id, depends_on } of edges) waitsFor.get(task_id)?.push(depends_on);
  const length = new Map<number, number>();
  const before = new Map<number, number>();
  for (const id of inOrder(waitsFor)) {
    let longest = 0;
    for (const dependency of waitsFor.get(id) ?? []) {
      const candidate = length.get(dependency) ?? 0;
      if (candidate <= longest) continue;
      longest = candidate;
      before.set(id, dependency);
    }
    length.set(id, longest + 1);
  }
  const last = [...length].reduce<[number, number] | undefined>(
    (best, entry) => (best && best[1] >= entry[1] ? best : entry),
    undefined,
  );
  const path: number[] = [];
  for (let id = last?.[0]; id !== undefined; id = before.get(id)) path.unshift(id);
  return path;
}

/**
 * Kahn's topological order: each task comes after those it depends on. Tasks of a cycle, which a database of an earlier
 * version may contain, are left out.
 */
function inOrder(waitsFor: ReadonlyMap<number, readonly number[]>): number[] {
  const open = new Map([...waitsFor].map(([id, dependencies]) => [id, dependencies.length]));
  const dependents = new Map<number, number[]>();
  for (const [id, dependencies] of waitsFor) {
    for (const dependency of dependencies) {
      const known = dependents.get(dependency);
      if (known) known.push(id);
      else dependents.set(dependency, [id]);
    }
  }
  const order = [...open].filter(([, count]) => count === 0).map(([id]) => id);
  for (const id of order) {
    for (const dependent of dependents.get(id) ?? []) {
      const left = (open.get(dependent) ?? 0) - 1;
      open.set(dependent, left);
      if (left === 0) order.push(dependent);
    }
  }
  return order;
}
