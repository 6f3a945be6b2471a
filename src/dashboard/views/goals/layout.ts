import { Graph, layout } from '@dagrejs/dagre';

export interface Point {
  x: number;
  y: number;
}

export interface Drawn {
  width: number;
  height: number;
  /** Where the middle of each node is. */
  places: ReadonlyMap<number, Point>;
  /** The way of each edge, in the order in which they were given. */
  ways: readonly Point[][];
}

export const nodeSize = { width: 200, height: 46 };
const half = nodeSize.width / 2;
const margin = 12;

/** Places a graph from left to right, what comes first at the left. */
export function placeGraph(ids: readonly number[], edges: readonly [number, number][]): Drawn {
  const graph = new Graph();
  // Of the three rankers this one takes a third of the others' time from 400 nodes on, for as good a picture.
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 46, marginx: margin, marginy: margin, ranker: 'tight-tree' });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(String(id), { ...nodeSize });
  for (const [from, to] of edges) graph.setEdge(String(from), String(to));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    places: new Map(ids.map((id) => [id, graph.node(String(id)) as Point])),
    ways: edges.map(([from, to]) => {
      const start = graph.node(String(from)) as Point;
      const end = graph.node(String(to)) as Point;
      const { points } = graph.edge(String(from), String(to)) as { points: Point[] };
      // Every second point is where the line passes a rank; the others lie in the gaps between, and only bend it.
      const passed = points.slice(1, -1).filter((_, index) => index % 2 === 1);
      // Out of the right side and into the left one, and level past what stands beside it.
      return [
        { x: start.x + half, y: start.y },
        ...passed.flatMap(({ x, y }) => [
          { x: x - half, y },
          { x: x + half, y },
        ]),
        { x: end.x - half, y: end.y },
      ];
    }),
  };
}
