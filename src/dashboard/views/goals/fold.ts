/** What the drawing of a large goal has in one place: a task, or several that are drawn as one until they are unfolded. */
export interface Unit {
  /** The task's id as text, or the name of the group. */
  key: string;
  /** How its tasks stand to each other: one after the other, side by side, all done, or what is left of a full column. */
  kind: 'task' | 'chain' | 'beside' | 'done' | 'rest';
  tasks: readonly number[];
}

export interface FoldedGraph {
  units: readonly Unit[];
  edges: readonly (readonly [from: string, to: string])[];
  /** Tasks that wait for none and that none waits for. */
  alone: readonly number[];
}

export interface FoldOptions {
  /** The groups that are not folded, by key. */
  unfolded: ReadonlySet<string>;
  /** Tasks that are over. */
  ended: ReadonlySet<number>;
  /** Tasks of the critical path, which is not lost in a group of others. */
  critical: ReadonlySet<number>;
  /** Tasks that a full column keeps in sight. */
  kept: ReadonlySet<number>;
}

/** Up to so many, every task is drawn. */
const few = 40;
const leastBeside = 4;
const leastChain = 3;
/** Units of a column that are drawn, where there are more. */
const mostInColumn = 6;

interface Node extends Unit {
  before: Set<string>;
  after: Set<string>;
}

type Nodes = Map<string, Node>;

/**
 * Folds a graph until it can be looked at: first what is done and waits for nothing that is open, then chains and what
 * stands side by side in turn (a reduction of series and parallels), then what is left of full columns.
 */
export function foldGraph(
  ids: readonly number[],
  edges: readonly (readonly [number, number])[],
  options: FoldOptions,
): FoldedGraph {
  const nodes: Nodes = new Map(
    ids.map((id) => [String(id), { key: String(id), kind: 'task', tasks: [id], before: new Set(), after: new Set() }]),
  );
  for (const [from, to] of edges) {
    nodes.get(String(from))?.after.add(String(to));
    nodes.get(String(to))?.before.add(String(from));
  }
  const alone = ids.length <= few ? [] : ids.filter((id) => isAlone(nodes.get(String(id))));
  for (const id of alone) nodes.delete(String(id));
  if (nodes.size > few) foldDone(nodes, options);
  while (nodes.size > few && (foldChain(nodes, options) || foldBeside(nodes, options))) {}
  if (nodes.size > few) foldColumns(nodes, options);
  return {
    units: [...nodes.values()].map(({ key, kind, tasks }) => ({ key, kind, tasks })),
    edges: [...nodes.values()].flatMap(({ key, after }) => [...after].map((to) => [key, to] as const)),
    alone,
  };
}

const isAlone = (node: Node | undefined): boolean => node !== undefined && node.before.size + node.after.size === 0;

/** Puts one node in the place of several. Edges among these are gone. */
function merge(nodes: Nodes, key: string, kind: Unit['kind'], members: readonly Node[]): void {
  const inside = new Set(members.map((member) => member.key));
  const outside = (side: 'before' | 'after') =>
    new Set(members.flatMap((member) => [...member[side]].filter((other) => !inside.has(other))));
  const merged: Node = {
    key,
    kind,
    tasks: members.flatMap(({ tasks }) => tasks),
    before: outside('before'),
    after: outside('after'),
  };
  for (const one of inside) nodes.delete(one);
  for (const other of merged.before) swap(nodes.get(other)?.after, inside, key);
  for (const other of merged.after) swap(nodes.get(other)?.before, inside, key);
  nodes.set(key, merged);
}

function swap(keys: Set<string> | undefined, gone: ReadonlySet<string>, key: string): void {
  for (const one of gone) keys?.delete(one);
  keys?.add(key);
}

/** All that is over and waited for nothing that is not: before it comes nothing, so that the graph stays without cycles. */
function foldDone(nodes: Nodes, { unfolded, ended }: FoldOptions): void {
  const done = new Set<string>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const { key, tasks, before } of nodes.values()) {
      if (done.has(key) || !tasks.every((id) => ended.has(id)) || [...before].some((one) => !done.has(one))) continue;
      done.add(key);
      grew = true;
    }
  }
  const members = [...nodes.values()].filter(({ key }) => done.has(key));
  if (members.length >= leastChain && !unfolded.has('done')) merge(nodes, 'done', 'done', members);
}

/** Folds the chains there are. Resolves to whether there was one. */
function foldChain(nodes: Nodes, { unfolded }: FoldOptions): boolean {
  let hasFolded = false;
  for (const first of [...nodes.values()]) {
    if (first.kind === 'done' || !nodes.has(first.key) || isWithinChain(nodes, first)) continue;
    const chain = [first];
    for (let next = follower(nodes, first); next; next = follower(nodes, next)) chain.push(next);
    const key = `chain:${first.tasks[0]}`;
    const length = chain.reduce((sum, { tasks }) => sum + tasks.length, 0);
    if (chain.length < 2 || length < leastChain || unfolded.has(key)) continue;
    merge(nodes, key, 'chain', chain);
    hasFolded = true;
  }
  return hasFolded;
}

/** The one node after a node, if that waits for no other. */
function follower(nodes: Nodes, { after }: Node): Node | undefined {
  const [next] = after;
  const node = after.size === 1 && next !== undefined ? nodes.get(next) : undefined;
  return node?.before.size === 1 ? node : undefined;
}

function isWithinChain(nodes: Nodes, node: Node): boolean {
  const [last] = node.before;
  const before = node.before.size === 1 && last !== undefined ? nodes.get(last) : undefined;
  return before?.kind !== 'done' && before?.after.size === 1;
}

/** Folds nodes that wait for the same and that the same waits for. Resolves to whether there were any. */
function foldBeside(nodes: Nodes, { unfolded, critical }: FoldOptions): boolean {
  const groups = new Map<string, Node[]>();
  for (const node of nodes.values()) {
    if (node.tasks.some((id) => critical.has(id))) continue;
    const place = `${[...node.before].sort().join()}|${[...node.after].sort().join()}`;
    groups.set(place, [...(groups.get(place) ?? []), node]);
  }
  let hasFolded = false;
  for (const members of groups.values()) {
    const key = `beside:${members[0]?.tasks[0]}`;
    if (members.length < leastBeside || unfolded.has(key)) continue;
    merge(nodes, key, 'beside', members);
    hasFolded = true;
  }
  return hasFolded;
}

/** Of each full column, keeps the first few and what matters; edges lead from column to column, so there are no cycles. */
function foldColumns(nodes: Nodes, { unfolded, kept }: FoldOptions): void {
  const columns = new Map<number, Node[]>();
  for (const [key, rank] of ranksOf(nodes)) {
    const node = nodes.get(key);
    if (node) columns.set(rank, [...(columns.get(rank) ?? []), node]);
  }
  for (const [rank, members] of columns) {
    const key = `rest:${rank}`;
    if (members.length <= mostInColumn || unfolded.has(key)) continue;
    const matters = ({ tasks }: Node) => tasks.some((id) => kept.has(id));
    const inOrder = [...members].sort((one, other) => Number(matters(other)) - Number(matters(one)));
    merge(nodes, key, 'rest', inOrder.slice(mostInColumn - 1));
  }
}

/** How many nodes come before each, one after the other. What is in a cycle, which an old file may have, has no rank. */
function ranksOf(nodes: Nodes): Map<string, number> {
  const ranks = new Map<string, number>();
  const left = new Map([...nodes.values()].map(({ key, before }) => [key, before.size]));
  const order = [...left].filter(([, count]) => count === 0).map(([key]) => key);
  for (const key of order) {
    const rank = ranks.get(key) ?? 0;
    ranks.set(key, rank);
    for (const next of nodes.get(key)?.after ?? []) {
      ranks.set(next, Math.max(ranks.get(next) ?? 0, rank + 1));
      const count = (left.get(next) ?? 0) - 1;
      left.set(next, count);
      if (count === 0) order.push(next);
    }
  }
  return ranks;
}
