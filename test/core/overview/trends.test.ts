import { expect, it } from 'vitest';
import { readTrends } from '../../../src/core/overview/trends.js';
import { movingClock } from '../../support/moving-clock.js';
import { testRuntime } from '../../support/test-runtime.js';

const minute = 60_000;

/** A runtime with jobs whose times are given in minutes before now; null for what has not happened. */
async function runtimeWith(
  jobs: readonly [status: string, created: number, started: number | null, ended: number | null][],
) {
  const clock = movingClock();
  const runtime = await testRuntime({ clock });
  const at = (ago: number | null) => (ago === null ? null : clock.now() - ago * minute);
  await runtime.db.run(
    `insert into runners (id, ability, state, created_at, created_tick, created_boot_id) values ('r', '', 'exited', 0, 0, '')`,
  );
  for (const [index, [status, created, started, ended]] of jobs.entries()) {
    await runtime.db.run(
      `insert into jobs (id, type, status, payload, run_at, timeout_seconds, max_attempts, runner_id, attempt_token,
         input_tokens, output_tokens, created_at, updated_at, started_at, completed_at)
       values (?, 'llm', ?, '{}', 0, 60, 3, 'r', 't', 10, 5, ?, 0, ?, ?)`,
      `job-${index}`,
      status,
      at(created),
      at(started),
      at(ended),
    );
  }
  return {
    trends: (windowMinutes: number, count: number) =>
      readTrends(runtime.db, { windowMs: windowMinutes * minute, count, now: clock.now() }),
  };
}

it('counts what came and ended in each stretch, with the tokens of what ended', async () => {
  const { trends } = await runtimeWith([
    ['completed', 9.5, 9, 8.5],
    ['failed', 9.4, 9.2, 3.5],
    ['cancelled', 5.5, null, 4.5],
    ['completed', 60, 59, 58],
  ]);
  const stretches = await trends(10, 5);
  expect(stretches.map(({ submitted }) => submitted)).toEqual([2, 0, 1, 0, 0]);
  expect(stretches.map(({ completed, failed, cancelled }) => [completed, failed, cancelled])).toEqual([
    [1, 0, 0],
    [0, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
    [0, 0, 0],
  ]);
  expect(stretches.map(({ inputTokens, outputTokens }) => inputTokens + outputTokens)).toEqual([15, 0, 15, 15, 0]);
});

it('knows how long the queue was at the end of each stretch, with what was there before the window', async () => {
  const { trends } = await runtimeWith([
    ['completed', 100, 7, 1],
    ['pending', 50, null, null],
    ['running', 5, 3, null],
    ['cancelled', 100, null, 5],
  ]);
  const stretches = await trends(10, 5);
  expect(stretches.map(({ queued }) => queued)).toEqual([3, 2, 2, 1, 1]);
  expect(stretches.map(({ running }) => running)).toEqual([0, 1, 1, 2, 1]);
});

it('leaves nothing out at the edges: what happens now is in the last stretch', async () => {
  const { trends } = await runtimeWith([['completed', 0, 0, 0]]);
  const stretches = await trends(10, 3);
  expect(stretches).toHaveLength(3);
  expect(stretches.at(-1)).toMatchObject({ submitted: 1, completed: 1, queued: 0, running: 0 });
});

it('is empty without jobs', async () => {
  const { trends } = await runtimeWith([]);
  expect((await trends(60, 60)).every(({ submitted, queued }) => submitted + queued === 0)).toBe(true);
});
