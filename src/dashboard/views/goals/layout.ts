export interface Point {
  x: number;
  y: number;
}

export interface Drawn<Key> {
  width: number;
  height: number;
  /** The centre of each node. */
  places: ReadonlyMap<Key, Point>;
  /** The points of each edge, in the order of the input. */
  ways: readonly Point[][];
}

export const nodeSize = { width: 200, height: 46 };
const half = nodeSize.width / 2;
const margin = 12;
const rankGap = 46;
const nodeGap = 14;
/** What an edge takes of the height of a rank that it passes. */
const passHeight = 10;
const sweeps = 8;

/** A node, or the place where an edge passes a rank. */
interface Cell {
  rank: number;
  height: number;
  before: Cell[];
  after: Cell[];
  y: number;
}

/**
 * Lays a graph out from left to right, dependencies on the left: ranks by longest path, order within a rank by the
 * barycenters of the neighbours, heights as near to them as the order allows (Sugiyama, Tagawa, Toda, 1981).
 */
export function placeGraph<Key extends string | number>(
  keys: readonly Key[],
  edges: readonly (readonly [Key, Key])[],
): Drawn<Key> {
  const ranks = rankAll(keys, edges);
  const cells = new Map(keys.map((key) => [key, newCell(ranks.get(key) ?? 0, nodeSize.height)]));
  const all = [...cells.values()];
  const passes = edges.map(([from, to]) => join(cells.get(from), cells.get(to), all));
  const byRank: Cell[][] = [];
  for (const cell of all) {
    const rank = byRank[cell.rank] ?? [];
    byRank[cell.rank] = rank;
    rank.push(cell);
  }
  for (let sweep = 0; sweep < sweeps; sweep++) order(byRank, sweep % 2 === 0);
  for (let sweep = 0; sweep < sweeps; sweep++) settle(byRank, sweep % 2 === 0);
  const top = Math.min(0, ...all.map(({ y, height }) => y - height / 2)) - margin;
  for (const cell of all) cell.y -= top;
  const place = ({ rank, y }: Cell): Point => ({ x: margin + half + rank * (nodeSize.width + rankGap), y });
  return {
    width: 2 * margin + Math.max(0, byRank.length * (nodeSize.width + rankGap) - rankGap),
    height: margin + Math.max(0, ...all.map(({ y, height }) => y + height / 2)),
    places: new Map([...cells].map(([key, cell]) => [key, place(cell)])),
    ways: edges.map(([from, to], index) => {
      const [start, end] = [cells.get(from), cells.get(to)];
      if (!start || !end) return [];
      // Edges leave on the right, enter on the left, and pass other nodes level.
      const passed = (passes[index] ?? []).map(place);
      return [
        { x: place(start).x + half, y: start.y },
        ...passed.flatMap(({ x, y }) => [
          { x: x - half, y },
          { x: x + half, y },
        ]),
        { x: place(end).x - half, y: end.y },
      ];
    }),
  };
}

const newCell = (rank: number, height: number): Cell => ({ rank, height, before: [], after: [], y: 0 });

/** The length of the longest way to each node; one that nothing leads to stands right before what it leads to. */
function rankAll<Key>(keys: readonly Key[], edges: readonly (readonly [Key, Key])[]): Map<Key, number> {
  const after = new Map<Key, Key[]>(keys.map((key) => [key, []]));
  const open = new Map<Key, number>(keys.map((key) => [key, 0]));
  for (const [from, to] of edges) {
    after.get(from)?.push(to);
    open.set(to, (open.get(to) ?? 0) + 1);
  }
  const ranks = new Map<Key, number>();
  const sources = keys.filter((key) => open.get(key) === 0);
  const ready = [...sources];
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    const rank = ranks.get(key) ?? 0;
    ranks.set(key, rank);
    for (const to of after.get(key) ?? []) {
      ranks.set(to, Math.max(ranks.get(to) ?? 0, rank + 1));
      const left = (open.get(to) ?? 0) - 1;
      open.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  for (const key of sources) {
    const next = (after.get(key) ?? []).map((to) => ranks.get(to) ?? 1);
    if (next.length > 0) ranks.set(key, Math.min(...next) - 1);
  }
  return ranks;
}

/** Joins two nodes by a cell in each rank between them; returns these. */
function join(from: Cell | undefined, to: Cell | undefined, all: Cell[]): Cell[] {
  if (!from || !to) return [];
  const passed: Cell[] = [];
  let last = from;
  for (let rank = from.rank + 1; rank < to.rank; rank++) {
    const cell = newCell(rank, passHeight);
    passed.push(cell);
    all.push(cell);
    last.after.push(cell);
    cell.before.push(last);
    last = cell;
  }
  last.after.push(to);
  to.before.push(last);
  return passed;
}

/** Orders each rank by where the neighbours in the rank beside it are; what has none keeps its place behind the others. */
function order(byRank: readonly Cell[][], isForward: boolean): void {
  for (const rank of byRank) for (const [index, cell] of rank.entries()) cell.y = index;
  for (const rank of isForward ? byRank : [...byRank].reverse()) {
    const wanted = new Map(
      rank.map((cell) => {
        const beside = isForward ? cell.before : cell.after;
        const isAlone = cell.before.length + cell.after.length === 0;
        return [cell, beside.length > 0 ? mean(beside) : isAlone ? Number.MAX_VALUE : cell.y];
      }),
    );
    rank.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    for (const [index, cell] of rank.entries()) cell.y = index;
  }
}

const mean = (cells: readonly Cell[]): number => cells.reduce((sum, { y }) => sum + y, 0) / cells.length;

/** Moves the cells of each rank as near to their neighbours as their order and their heights allow. */
function settle(byRank: readonly Cell[][], isForward: boolean): void {
  for (const rank of isForward ? byRank : [...byRank].reverse()) {
    const offsets: number[] = [];
    let offset = 0;
    for (const [index, { height }] of rank.entries()) {
      const last = rank[index - 1];
      if (last) offset += last.height / 2 + nodeGap + height / 2;
      offsets.push(offset);
    }
    const wanted = rank.map((cell, index) => {
      const beside = isForward ? cell.before : cell.after;
      const near = beside.length > 0 ? beside : isForward ? cell.after : cell.before;
      return (near.length > 0 ? mean(near) : cell.y) - (offsets[index] ?? 0);
    });
    for (const [index, y] of ascending(wanted).entries()) {
      const cell = rank[index];
      if (cell) cell.y = y + (offsets[index] ?? 0);
    }
  }
}

/** The ascending values that are nearest to these, by least squares (pool adjacent violators). */
function ascending(values: readonly number[]): number[] {
  const blocks: { sum: number; count: number }[] = [];
  for (const value of values) {
    let block = { sum: value, count: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.count > block.sum / block.count; last = blocks.at(-1)) {
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count));
}
