import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readTrends, type TrendWindow } from '../../../src/core/overview/trends.js';
import type { Value } from '../../../src/store/sql.js';
import { movingClock } from '../../support/moving-clock.js';
import { isOnPostgres } from '../../support/postgres.js';
import { testRuntime } from '../../support/test-runtime.js';

const minute = 60_000;

/** A runtime with jobs whose times are given in minutes before now; null for what has not happened. */
async function runtimeWith(
  jobs: readonly (readonly [status: string, created: number, started: number | null, ended: number | null])[],
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

/** Of jobs in milliseconds since the epoch, counted one by one. */
function countedOneByOne(jobs: readonly RandomJob[], { windowMs, count, now }: TrendWindow) {
  const [from, length] = [now - windowMs, windowMs / count];
  return Array.from({ length: count }, (_, place) => {
    const [first, end] = [from + place * length, place === count - 1 ? now + 1 : from + (place + 1) * length];
    const isWithin = (at: number | null) => at !== null && at > from && at >= first && at < end;
    const ended = jobs.filter((job) => isWithin(job.ended));
    const present = jobs.filter((job) => job.created < end && (job.ended === null || job.ended >= end));
    return {
      submitted: jobs.filter((job) => isWithin(job.created)).length,
      completed: ended.filter(({ status }) => status === 'completed').length,
      failed: ended.filter(({ status }) => status === 'failed').length,
      cancelled: ended.filter(({ status }) => status === 'cancelled').length,
      queued: present.filter(({ started }) => started === null || started >= end).length,
      running: present.filter(({ started }) => started !== null && started < end).length,
      inputTokens: ended.length * 10,
    };
  });
}

interface RandomJob {
  status: string;
  created: number;
  started: number | null;
  ended: number | null;
}

it('are what is counted job by job, whatever the window and its intervals', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          status: fc.constantFrom('completed', 'failed', 'cancelled', 'pending', 'running'),
          created: fc.integer({ min: 0, max: 120 }),
          waited: fc.integer({ min: 0, max: 60 }),
          took: fc.integer({ min: 0, max: 60 }),
          isStarted: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      fc.constantFrom(12, 60, 120),
      fc.constantFrom(1, 3, 4, 12),
      async (drawn, windowMinutes, count) => {
        const now = movingClock().now();
        const jobs = drawn.map(({ status, created, waited, took, isStarted }): RandomJob => {
          const at = (minutesAgo: number) => now - Math.max(0, minutesAgo) * minute;
          const hasStarted = status === 'pending' ? false : status !== 'cancelled' || isStarted;
          const hasEnded = status !== 'pending' && status !== 'running';
          return {
            status,
            created: at(created),
            started: hasStarted ? at(created - waited) : null,
            ended: hasEnded ? at(created - waited - took) : null,
          };
        });
        const given = jobs.map(({ status, created, started, ended }) => {
          const ago = (time: number | null) => (time === null ? null : (now - time) / minute);
          return [status, (now - created) / minute, ago(started), ago(ended)] as const;
        });
        const found = await (await runtimeWith(given)).trends(windowMinutes, count);
        const wanted = countedOneByOne(jobs, { windowMs: windowMinutes * minute, count, now });
        expect(found).toMatchObject(wanted);
      },
    ),
    { numRuns: 15 },
  );
}, 120_000);

it.skipIf(isOnPostgres)('are read off indexes of the moments, not job by job', async () => {
  const { db } = await testRuntime();
  const plans: string[] = [];
  const statements: { text: string; values: Value[] }[] = [];
  const { all, get } = db;
  Object.assign(db, {
    all: (text: string, ...values: Value[]) => {
      statements.push({ text, values });
      return all(text, ...values);
    },
    get: (text: string, ...values: Value[]) => {
      statements.push({ text, values });
      return get(text, ...values);
    },
  });
  await readTrends(db, { windowMs: 604_800_000, count: 84, now: 600_000_000 });
  for (const { text, values } of statements.splice(0)) {
    const plan = await all<{ detail: string }>(`explain query plan ${text}`, ...values);
    plans.push(...plan.map(({ detail }) => detail).filter((detail) => /^(SCAN|SEARCH) jobs/.test(detail)));
  }
  const byMoment = /^SEARCH jobs USING COVERING INDEX jobs_by_(end|creation) /;
  expect(plans.filter((plan) => byMoment.test(plan)).length).toBeGreaterThanOrEqual(9);
  // What is open is found by its status.
  const rest = plans.filter((plan) => !byMoment.test(plan));
  for (const plan of rest) expect(plan).toMatch(/jobs_by_status|jobs_by_end \(completed_at>\?\)/);
});
