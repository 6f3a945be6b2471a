import { describe, expect, it } from 'vitest';
import { nodeSize, placeGraph } from '../../src/dashboard/views/goals/layout.js';

type Edge = [string, string];
const range = (count: number) => Array.from({ length: count }, (_, index) => String(index));

function expectReadable(keys: readonly string[], edges: readonly Edge[]): void {
  const { places, ways, width, height } = placeGraph(keys, edges);
  const at = (key: string) => places.get(key) ?? { x: Number.NaN, y: Number.NaN };
  for (const [from, to] of edges) expect(at(to).x - at(from).x, `${from} to ${to}`).toBeGreaterThan(nodeSize.width);
  const all = keys.map(at).sort((one, other) => one.x - other.x || one.y - other.y);
  for (const [index, one] of all.entries()) {
    const next = all[index + 1];
    if (next?.x === one.x) expect(next.y - one.y).toBeGreaterThanOrEqual(nodeSize.height);
    expect(one.x - nodeSize.width / 2).toBeGreaterThanOrEqual(0);
    expect(one.x + nodeSize.width / 2).toBeLessThanOrEqual(width);
    expect(one.y - nodeSize.height / 2).toBeGreaterThanOrEqual(0);
    expect(one.y + nodeSize.height / 2).toBeLessThanOrEqual(height);
  }
  // No edge passes through a node.
  const passing = ways.flatMap((points) => points.slice(1, -1));
  const inside = all.filter((node) =>
    passing.some(({ x, y }) => Math.abs(node.x - x) < nodeSize.width / 2 && Math.abs(node.y - y) < nodeSize.height / 2),
  );
  expect(inside).toEqual([]);
}

describe('the places of tasks in a drawing', () => {
  it('follow their order, without one over the other and without edges through them', () => {
    expectReadable(range(1), []);
    expectReadable(range(6), [
      ['0', '1'],
      ['1', '2'],
      ['2', '3'],
      ['0', '3'],
      ['4', '3'],
    ]);
    // A web in which each of 90 waits for up to three of those before it.
    const web = range(90).flatMap((key, index) =>
      [...new Set([Math.floor(index / 2), index - 3, (index * 7) % Math.max(1, index)])]
        .filter((one) => one >= 0 && one < index)
        .map((one): Edge => [String(one), key]),
    );
    expectReadable(range(90), web);
  });

  it('keep a chain level, and what waits for nothing beside what waits for it', () => {
    const edges: Edge[] = [
      ['0', '1'],
      ['1', '2'],
      ['2', '3'],
      ['4', '3'],
    ];
    const { places } = placeGraph(range(5), edges);
    expect(places.get('4')?.x).toBe(places.get('2')?.x);
    const alone = placeGraph(range(4), edges.slice(0, 3));
    expect(new Set([...alone.places.values()].map(({ y }) => Math.round(y))).size).toBe(1);
  });

  it('are found for a thousand tasks, and for a cycle, which an old file may have', () => {
    const keys = range(1_000);
    const edges = keys.slice(1).map((key, index): Edge => [String(index - (index % 10)), key]);
    expect(placeGraph(keys, edges).places.size).toBe(1_000);
    const cycle = placeGraph(range(3), [
      ['0', '1'],
      ['1', '2'],
      ['2', '1'],
    ]);
    expect([...cycle.places.values()].every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
    expect(placeGraph([], [])).toMatchObject({ ways: [] });
  });
});
