import { describe, expect, it } from 'vitest';
import { foldGraph } from '../../src/dashboard/views/goals/fold.js';

const options = {
  unfolded: new Set<string>(),
  ended: new Set<number>(),
  critical: new Set<number>(),
  kept: new Set<number>(),
};
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const chain = (from: number, to: number) => range(from, to - 1).map((id) => [id, id + 1] as [number, number]);

describe('the drawing of a goal', () => {
  it('has every task while they are few', () => {
    const { units, edges, alone } = foldGraph([1, 2, 3, 4], chain(1, 3), options);
    expect(units.map(({ key }) => key)).toEqual(['1', '2', '3', '4']);
    expect(edges).toEqual([
      ['1', '2'],
      ['2', '3'],
    ]);
    expect(alone).toEqual([]);
  });

  it('folds chains and what stands side by side, one within the other, and sets aside what is alone', () => {
    // 1 to 100 in a row, 101 to 300 side by side after 50, 301 after all of them, 400 to 500 alone.
    const fan = range(101, 300).flatMap((id) => [[50, id] as [number, number], [id, 301] as [number, number]]);
    const { units, edges, alone } = foldGraph(
      [...range(1, 301), ...range(400, 500)],
      [...chain(1, 100), ...fan],
      options,
    );
    expect(alone).toEqual(range(400, 500));
    expect(units.length).toBeLessThan(10);
    expect(units.flatMap(({ tasks }) => tasks).sort((a, b) => a - b)).toEqual(range(1, 301));
    const keys = new Set(units.map(({ key }) => key));
    expect(edges.every(([from, to]) => keys.has(from) && keys.has(to))).toBe(true);
    const first = units.find(({ tasks }) => tasks.includes(1));
    expect(first).toMatchObject({ key: 'chain:1', kind: 'chain', tasks: range(1, 50) });

    const unfolded = new Set(['chain:1']);
    const opened = foldGraph([...range(1, 301)], [...chain(1, 100), ...fan], { ...options, unfolded });
    expect(opened.units.filter(({ kind }) => kind === 'task').length).toBeGreaterThanOrEqual(50);
    expect(opened.units.find(({ tasks }) => tasks.includes(101))?.tasks.length).toBeGreaterThanOrEqual(200);
  });

  it('folds what is done before anything that is open', () => {
    const { units } = foldGraph(range(1, 80), chain(1, 80), { ...options, ended: new Set(range(1, 30)) });
    expect(units.map(({ key, tasks }) => [key, tasks.length])).toEqual([
      ['done', 30],
      ['chain:31', 50],
    ]);
  });

  it('keeps columns short where nothing else helps, and never makes a cycle', () => {
    // Each of a column waits for two of the one before, in a way that is no chain and no parallel.
    const columns = 8;
    const height = 30;
    const at = (column: number, row: number) => 1 + column * height + ((row + height) % height);
    const edges = range(1, columns - 1).flatMap((column) =>
      range(0, height - 1).flatMap((row) => [
        [at(column - 1, row), at(column, row)] as [number, number],
        [at(column - 1, row + column), at(column, row)] as [number, number],
      ]),
    );
    const kept = new Set([at(3, 29)]);
    const { units, edges: drawn } = foldGraph(range(1, columns * height), edges, { ...options, kept });
    expect(units.length).toBeLessThanOrEqual(columns * 6);
    expect(units.flatMap(({ tasks }) => tasks)).toHaveLength(columns * height);
    expect(units.some(({ key }) => key === String(at(3, 29)))).toBe(true);
    const seen = new Set<string>();
    const walk = (key: string, path: ReadonlySet<string>): void => {
      expect(path.has(key)).toBe(false);
      if (seen.has(key)) return;
      seen.add(key);
      for (const [from, to] of drawn) if (from === key) walk(to, new Set([...path, key]));
    };
    for (const { key } of units) walk(key, new Set());
  });
});
