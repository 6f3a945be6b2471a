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
  const chain = longestChain(edges);
  if (chain.length > 0) return chain;
  const oldest = await sql.get<{ id: number | null }>(
    "select min(id) as id from tasks where goal_id = ? and status in ('pending', 'in_progress')",
    goalId,
  );
  return oldest?.id == null ? [] : [oldest.id];
}

/** A task that waits, or is waited for, and the longest chain that ends with it. */
interface Link {
  id: number;
  length: number;
  before: Link | undefined;
  /** The first task of the chain. */
  first: number;
  /** How many of its dependencies were not visited yet. */
  open: number;
  dependents: Link[];
}

/**
 * The longest chain of the tasks that edges connect; none without edges. Kahn's topological order: each task comes after
 * those it depends on. Tasks of a cycle, which a database of an earlier version may contain, are left out. Exported for its
 * tests.
 */
export function longestChain(edges: readonly Edge[]): number[] {
  const links = new Map<number, Link>();
  const linkOf = (id: number): Link => {
    const known = links.get(id);
    if (known) return known;
    const link: Link = { id, length: 1, before: undefined, first: id, open: 0, dependents: [] };
    links.set(id, link);
    return link;
  };
  for (const { task_id, depends_on } of edges) {
    const task = linkOf(task_id);
    task.open++;
    linkOf(depends_on).dependents.push(task);
  }
  let last: Link | undefined;
  const order = [...links.values()].filter(({ open }) => open === 0);
  for (const link of order) {
    if (!last || isLonger(link, last)) last = link;
    for (const next of link.dependents) {
      if (!next.before || isLonger(link, next.before)) {
        next.before = link;
        next.first = link.first;
        next.length = link.length + 1;
      }
      next.open--;
      if (next.open === 0) order.push(next);
    }
  }
  const path: number[] = [];
  for (let link = last; link; link = link.before) path.unshift(link.id);
  return path;
}

/** Of chains of one length the oldest counts as the longest. */
function isLonger(link: Link, than: Link): boolean {
  return (link.length - than.length || than.first - link.first || than.id - link.id) > 0;
}
