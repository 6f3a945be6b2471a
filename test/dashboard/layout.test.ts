import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nodeSize, placeGraph } from '../../src/dashboard/views/goals/layout.js';

/** Nodes and edges that go from lower to higher numbers, so that there is no circle. */
const graphs = fc.integer({ min: 1, max: 40 }).chain((size) =>
  fc
    .array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 80 })
    .map((pairs) => pairs.filter(([a, b]) => a < b))
    .map((pairs) => [...new Map(pairs.map((pair) => [pair.join(), pair])).values()])
    .map((edges) => ({ keys: Array.from({ length: size }, (_, key) => key), edges })),
);

it('draws each task right of what it depends on, none over another, and the whole within its size', () => {
  fc.assert(
    fc.property(graphs, ({ keys, edges }) => {
      const { places, ways, width, height } = placeGraph(keys, edges);
      const placed = keys.map((key) => places.get(key) ?? { x: Number.NaN, y: Number.NaN });
      for (const [index, { x, y }] of placed.entries()) {
        expect(x - nodeSize.width / 2).toBeGreaterThanOrEqual(0);
        expect(x + nodeSize.width / 2).toBeLessThanOrEqual(width);
        expect(y - nodeSize.height / 2).toBeGreaterThanOrEqual(0);
        expect(y + nodeSize.height / 2).toBeLessThanOrEqual(height);
        for (const other of placed.slice(index + 1)) {
          const isApart = Math.abs(other.x - x) >= nodeSize.width || Math.abs(other.y - y) >= nodeSize.height;
          expect(isApart).toBe(true);
        }
      }
      for (const [index, [from, to]] of edges.entries()) {
        const way = ways[index] ?? [];
        expect(way[0]).toEqual({ x: (placed[from]?.x ?? 0) + nodeSize.width / 2, y: placed[from]?.y });
        expect(way.at(-1)).toEqual({ x: (placed[to]?.x ?? 0) - nodeSize.width / 2, y: placed[to]?.y });
        for (const [place, point] of way.slice(1).entries()) expect(point.x).toBeGreaterThan(way[place]?.x ?? 0);
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

it('leads no edge through a task', () => {
  fc.assert(
    fc.property(graphs, ({ keys, edges }) => {
      const { places, ways } = placeGraph(keys, edges);
      for (const way of ways) {
        for (const { x, y } of way.slice(1, -1)) {
          const hit = [...places.values()].some(
            (node) => Math.abs(node.x - x) <= nodeSize.width / 2 && Math.abs(node.y - y) < nodeSize.height / 2,
          );
          expect(hit).toBe(false);
        }
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

it('draws a chain as a straight line', () => {
  const keys = ['a', 'b', 'c', 'd'];
  const { places } = placeGraph(keys, [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'd'],
  ]);
  expect(new Set([...places.values()].map(({ y }) => y)).size).toBe(1);
});
