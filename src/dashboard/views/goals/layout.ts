export interface Point {
  x: number;
  y: number;
}

export interface Drawn {
  width: number;
  height: number;
  /** The centre of each node. */
  places: ReadonlyMap<string, Point>;
  /** The points of each edge, in the order of the input. */
  ways: readonly Point[][];
}

export const nodeSize = { width: 200, height: 46 };
const margin = 12;
const columnGap = 46;
const rowGap = 14;
/** What an edge takes of a column that it passes. */
const edgeHeight = 4;
const half = nodeSize.width / 2;
const sweeps = 8;

/** A node, or a place where an edge passes a column. */
interface Vertex {
  rank: number;
  height: number;
  y: number;
  before: Vertex[];
  after: Vertex[];
}

type Edge = readonly [from: string, to: string];

/**
 * Lays a graph out from left to right, dependencies on the left: columns by the longest way, the order in each column by
 * the middle of the neighbours, and heights as near to the neighbours as the order allows (Sugiyama et al., 1981).
 */
export function placeGraph(keys: readonly string[], edges: readonly Edge[]): Drawn {
  const ranks = ranksOf(keys, edges);
  const nodes = new Map(keys.map((key) => [key, vertex(ranks.get(key) ?? 0, nodeSize.height)]));
  const columns: Vertex[][] = [];
  for (const node of nodes.values()) inColumn(columns, node);
  const passed = edges.map(([from, to]) => link(nodes.get(from), nodes.get(to), columns));
  arrange(columns);
  const top = Math.min(...columns.flat().map(({ y, height }) => y - height / 2));
  const bottom = Math.max(...columns.flat().map(({ y, height }) => y + height / 2));
  const pointOf = ({ rank, y }: Vertex): Point => ({
    x: margin + half + rank * (nodeSize.width + columnGap),
    y: margin + y - top,
  });
  return {
    width: 2 * margin + columns.length * nodeSize.width + Math.max(0, columns.length - 1) * columnGap,
    height: 2 * margin + Math.max(0, bottom - top),
    places: new Map([...nodes].map(([key, node]) => [key, pointOf(node)])),
    ways: edges.map(([from, to], index) => {
      const ends = [nodes.get(from), nodes.get(to)].flatMap((node) => (node ? [pointOf(node)] : []));
      const [start, end] = ends;
      if (!start || !end) return [];
      // Edges leave on the right, enter on the left, and pass other columns level.
      return [
        { x: start.x + half, y: start.y },
        ...(passed[index] ?? []).map(pointOf).flatMap(({ x, y }) => [
          { x: x - half, y },
          { x: x + half, y },
        ]),
        { x: end.x - half, y: end.y },
      ];
    }),
  };
}

const vertex = (rank: number, height: number): Vertex => ({ rank, height, y: 0, before: [], after: [] });

function inColumn(columns: Vertex[][], one: Vertex): void {
  const column = columns[one.rank] ?? [];
  columns[one.rank] = column;
  column.push(one);
}

/** Links two nodes through every column between them. Resolves to the places in these. */
function link(from: Vertex | undefined, to: Vertex | undefined, columns: Vertex[][]): Vertex[] {
  if (!from || !to || to.rank <= from.rank) return [];
  const between = Array.from({ length: to.rank - from.rank - 1 }, (_, index) =>
    vertex(from.rank + index + 1, edgeHeight),
  );
  for (const one of between) inColumn(columns, one);
  const way = [from, ...between, to];
  for (const [index, one] of way.entries()) {
    const next = way[index + 1];
    if (!next) break;
    one.after.push(next);
    next.before.push(one);
  }
  return between;
}

/**
 * The column of each node: one after the last of what it waits for; what waits for nothing stands before the first that
 * waits for it. What is in a cycle, which an old file may have, is put where it does least harm.
 */
function ranksOf(keys: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const after = new Map<string, string[]>(keys.map((key) => [key, []]));
  const left = new Map(keys.map((key) => [key, 0]));
  for (const [from, to] of edges) {
    after.get(from)?.push(to);
    left.set(to, (left.get(to) ?? 0) + 1);
  }
  const sources = keys.filter((key) => left.get(key) === 0);
  const ranks = new Map(keys.map((key) => [key, 0]));
  const order = [...sources];
  for (const key of order) {
    for (const next of after.get(key) ?? []) {
      ranks.set(next, Math.max(ranks.get(next) ?? 0, (ranks.get(key) ?? 0) + 1));
      const count = (left.get(next) ?? 0) - 1;
      left.set(next, count);
      if (count === 0) order.push(next);
    }
  }
  for (const key of sources) {
    const nexts = (after.get(key) ?? []).map((next) => ranks.get(next) ?? 0);
    if (nexts.length > 0) ranks.set(key, Math.max(0, Math.min(...nexts) - 1));
  }
  return ranks;
}

/** Orders each column, and gives every place in it its height. */
function arrange(columns: Vertex[][]): void {
  for (const column of columns) stack(column);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const isForward = sweep % 2 === 0;
    for (const column of isForward ? columns : [...columns].reverse()) {
      const wanted = new Map(column.map((one) => [one, middle(isForward ? one.before : one.after) ?? one.y]));
      column.sort((one, other) => (wanted.get(one) ?? 0) - (wanted.get(other) ?? 0));
      settle(column, (one) => wanted.get(one) ?? one.y);
    }
  }
  for (const column of columns) settle(column, (one) => middle([...one.before, ...one.after]) ?? one.y);
}

function middle(neighbours: readonly Vertex[]): number | undefined {
  if (neighbours.length === 0) return undefined;
  return neighbours.reduce((sum, { y }) => sum + y, 0) / neighbours.length;
}

const distance = (one: Vertex, next: Vertex): number => (one.height + next.height) / 2 + rowGap;

function stack(column: readonly Vertex[]): void {
  let y = 0;
  for (const [index, one] of column.entries()) {
    const last = column[index - 1];
    y += last ? distance(last, one) : 0;
    one.y = y;
  }
}

/**
 * Moves each place of a column as near to where it is wanted as the others allow, in their order: the least sum of squares
 * (isotonic regression by pooling adjacent violators).
 */
function settle(column: readonly Vertex[], wantedOf: (one: Vertex) => number): void {
  const blocks: { sum: number; count: number }[] = [];
  const offsets: number[] = [];
  for (const [index, one] of column.entries()) {
    const last = column[index - 1];
    const offset = last ? (offsets[index - 1] ?? 0) + distance(last, one) : 0;
    offsets.push(offset);
    blocks.push({ sum: wantedOf(one) - offset, count: 1 });
    for (let own = blocks.at(-1), before = blocks.at(-2); own && before; own = blocks.at(-1), before = blocks.at(-2)) {
      if (before.sum / before.count <= own.sum / own.count) break;
      blocks.pop();
      before.sum += own.sum;
      before.count += own.count;
    }
  }
  let index = 0;
  for (const { sum, count } of blocks) {
    for (let within = 0; within < count; within++, index++) {
      const one = column[index];
      if (one) one.y = sum / count + (offsets[index] ?? 0);
    }
  }
}
