import { expect, it } from 'vitest';
import { readCosts } from '../../../src/core/overview/costs.js';
import { readDurations } from '../../../src/core/overview/durations.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

const minute = 60_000;

async function runtimeWith(
  jobs: readonly { ago: number; took: number; model: string; micros: number; unpriced?: number; goal?: number }[],
) {
  const clock = movingClock();
  const runtime = await testRuntime({ clock });
  const now = clock.now();
  const { id: goal } = await runtime.goals.create({ name: 'Shop', description: '' }, { holder: null, project: '' });
  for (const [index, { ago, took, model, micros, unpriced = 0, goal: hasGoal }] of jobs.entries()) {
    const ended = now - ago * minute;
    await runtime.db.run(
      `insert into jobs (id, type, status, payload, run_at, timeout_seconds, max_attempts, model, cost_micros,
         unpriced_calls, goal_id, created_at, updated_at, started_at, completed_at)
       values (?, 'llm', 'completed', '{}', 0, 60, 3, ?, ?, ?, ?, ?, 0, ?, ?)`,
      `job-${index}`,
      model,
      micros,
      unpriced,
      hasGoal ? goal : null,
      ended - took * minute,
      ended - took * minute,
      ended,
    );
  }
  return { db: runtime.db, window: { from: now - 60 * minute, to: now, count: 2 }, goal };
}

it('adds up what jobs cost by when they ended, by model and by goal, and says how many calls are not in it', async () => {
  const { db, window, goal } = await runtimeWith([
    { ago: 50, took: 1, model: 'opus', micros: 1_500_000, goal: 1 },
    { ago: 10, took: 1, model: 'opus', micros: 500_000 },
    { ago: 0, took: 1, model: 'local', micros: 0, unpriced: 2 },
    { ago: 90, took: 1, model: 'opus', micros: 9_000_000 },
    { ago: 5, took: 1, model: 'none', micros: 0 },
  ]);
  expect(await readCosts(db, window)).toEqual({
    intervals: [
      { micros: 1_500_000, unpriced: 0 },
      { micros: 500_000, unpriced: 2 },
    ],
    models: [
      { model: 'opus', jobs: 2, micros: 2_000_000, unpriced: 0 },
      { model: 'local', jobs: 1, micros: 0, unpriced: 2 },
    ],
    goals: [
      { goalId: goal, name: 'Shop', jobs: 1, micros: 1_500_000, unpriced: 0 },
      { goalId: null, name: '', jobs: 2, micros: 500_000, unpriced: 2 },
    ],
  });
});

it('tells how long the jobs of each interval took, and of none that it took no time', async () => {
  const { db, window } = await runtimeWith([
    ...[1, 2, 3, 4].map((took) => ({ ago: 10, took, model: 'opus', micros: 0 })),
  ]);
  const [first, second] = await readDurations(db, window);
  expect(first?.jobs).toBeNull();
  expect(second?.jobs).toEqual({ median: 120, p95: 240 });
  expect(second).toMatchObject({ tasksCompleted: 0, tasksFailed: 0, tasks: null });
});
