import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { longestChain } from '../../../src/core/goals/critical-path.js';
import { alice, openBoard } from '../tasks/board.js';

describe('the critical path', () => {
  test('is the longest chain of open tasks, the oldest where several are as long', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const add = (title: string, dependencies: number[] = []) =>
      board.add(title, { goalId: goal.id, dependencies }).then((task) => task.id);
    const path = async () => (await board.goals.get(goal.id)).criticalPath;
    const a = await add('a');
    const b = await add('b', [a]);
    const c = await add('c', [b]);
    const x = await add('x');
    const y = await add('y', [x, a]);
    expect(await path()).toEqual([a, b, c]);
    await board.end(a, 'completed');
    expect(await path()).toEqual([b, c]);
    await board.end(b, 'completed');
    expect(await path()).toEqual([x, y]);
    await board.end(x, 'completed');
    expect(await path()).toEqual([c]);
  });

  test('leaves out tasks of other goals, and is empty when nothing is open', async () => {
    const board = await openBoard();
    const goal = await board.goals.create({ name: 'G', description: '' }, alice);
    const outside = await board.add('outside');
    const inside = await board.add('inside', { goalId: goal.id, dependencies: [outside.id] });
    expect((await board.goals.get(goal.id)).criticalPath).toEqual([inside.id]);
    await board.end(inside.id, 'cancelled');
    expect((await board.goals.get(goal.id)).criticalPath).toEqual([]);
  });

  test('is as long as a search of all chains finds, on any graph', () => {
    const graph = fc.array(fc.array(fc.nat(11), { maxLength: 3 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(graph, (raw) => {
        const waitsFor = raw.map((candidates, task) => candidates.filter((other) => other < task));
        const edges = waitsFor.flatMap((dependencies, task) =>
          dependencies.map((depends_on) => ({ task_id: task, depends_on })),
        );
        const lengthTo = (task: number): number => 1 + Math.max(0, ...(waitsFor[task] ?? []).map(lengthTo));
        const path = longestChain(edges);
        const longest = Math.max(...waitsFor.map((_, task) => lengthTo(task)));
        expect(path).toHaveLength(longest === 1 ? 0 : longest);
        for (const [place, task] of path.entries()) {
          if (place > 0) expect(waitsFor[task]).toContain(path[place - 1]);
        }
      }),
      { seed: 20_261_120, numRuns: 200 },
    );
  });

  test('ends on a cycle, which a database of the earlier server may hold', () => {
    const edges = [
      { task_id: 1, depends_on: 2 },
      { task_id: 2, depends_on: 1 },
      { task_id: 4, depends_on: 3 },
    ];
    expect(longestChain(edges)).toEqual([3, 4]);
  });
});
