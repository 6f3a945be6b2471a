import { expect, it } from 'vitest';
import { readDurations } from '../../../src/core/overview/durations.js';
import { dropWrongPeriods, periodMs, sumUpPeriods } from '../../../src/core/overview/job-periods.js';
import { readTrends } from '../../../src/core/overview/trends.js';
import { movingClock } from '../../support/moving-clock.js';
import { isOnPostgres } from '../../support/postgres.js';
import { readsOf } from '../../support/reads-of.js';
import { testRuntime } from '../../support/test-runtime.js';

const minute = 60_000;

/** Jobs of a day, some of which wait, run, failed or were cancelled before they began, and reads of that day. */
async function aDayOfJobs() {
  const clock = movingClock();
  const { db, maintenance } = await testRuntime({ clock });
  const to = Math.floor(clock.now() / periodMs + 1) * periodMs;
  // No time of a job is near the edge of an interval.
  const inMinute = Math.floor(clock.now() / minute) * minute - 30_000;
  const statuses = ['completed', 'failed', 'completed', 'cancelled', 'running', 'completed', 'pending'];
  await db.run(
    `insert into runners (id, ability, state, created_at, created_tick, created_boot_id) values ('r', '', 'exited', 0, 0, '')`,
  );
  const add = (index: number, status: string, createdAt: number) => {
    const isOpen = status === 'pending' || status === 'running';
    return db.run(
      `insert into jobs (id, type, status, payload, run_at, timeout_seconds, max_attempts, runner_id, attempt_token,
         input_tokens, output_tokens, unfinished_dependencies, created_at, updated_at, started_at, completed_at)
       values (?, 'llm', ?, '{}', 0, 60, 3, 'r', 't', 10, 5, ?, ?, 0, ?, ?)`,
      `job-${index}`,
      status,
      // No runner is started for what cannot run yet.
      status === 'pending' ? 1 : 0,
      createdAt,
      status === 'pending' || status === 'cancelled' ? null : createdAt + 7 * minute,
      isOpen ? null : createdAt + 8 * minute + (index % 50) * minute,
    );
  };
  for (let index = 0; index < 140; index++) {
    await add(index, statuses[index % statuses.length] ?? '', inMinute - (70 + index * 11) * minute);
  }
  const read = async (shiftMs: number) => {
    const window = { windowMs: 86_400_000, count: 24, now: clock.now(), to: to + shiftMs };
    return {
      intervals: (await readTrends(db, window)).map(({ at, ...of }) => ({ at: at - shiftMs, ...of })),
      durations: await readDurations(db, { from: window.to - window.windowMs, to: window.to, count: 24 }),
    };
  };
  return {
    db,
    clock,
    maintenance,
    /** Off the sums of periods, as far as there are some. */
    bySums: () => read(0),
    /** An interval that begins one millisecond earlier does not consist of periods; no time of a job lies in between. */
    byRows: () => read(-1),
    periods: async () => (await db.all<{ at: number }>('select at from job_periods order by at')).map(({ at }) => at),
  };
}

it('the trends of a day are the same from the rows, from the sums of its quarters of an hour, and from some of both', async () => {
  const { db, clock, bySums, byRows, periods } = await aDayOfJobs();
  const expected = await byRows();
  expect(await bySums()).toEqual(expected);
  expect(expected.intervals.reduce((sum, { completed }) => sum + completed, 0)).toBeGreaterThan(30);
  await sumUpPeriods(db, clock.now());
  expect((await periods()).length).toBeGreaterThan(90);
  expect(await bySums()).toEqual(expected);
  await db.run('delete from job_periods where at % 7 = 0');
  expect(await bySums()).toEqual(expected);
});

it('what changes in a period that was summed up is in the trends at once, and is summed up anew without counting twice', async () => {
  const { db, clock, bySums, byRows, periods } = await aDayOfJobs();
  await sumUpPeriods(db, clock.now());
  const all = await periods();
  await db.run("update jobs set status = 'failed', output_tokens = 700 where id = 'job-7'");
  await db.run("update jobs set status = 'pending', completed_at = null, started_at = null where id = 'job-14'");
  await db.run("delete from jobs where id in ('job-21', 'job-27')");
  await db.run(
    "update jobs set completed_at = ?, status = 'cancelled' where id = 'job-13'",
    clock.now() - 300 * minute,
  );
  const expected = await byRows();
  expect(await bySums()).toEqual(expected);
  expect((await periods()).length).toBeLessThan(all.length);
  for (let round = 0; round < 2; round++) {
    await sumUpPeriods(db, clock.now());
    expect(await periods()).toEqual(all);
    expect(await bySums()).toEqual(expected);
  }
});

it.skipIf(isOnPostgres)(
  'a job that ends while the sums are read, or by the clock of another host, leaves them in use',
  async () => {
    const { db, clock, bySums } = await aDayOfJobs();
    await sumUpPeriods(db, clock.now());
    const readSums = () => readsOf(db, /^job_periods$/, bySums);
    const endsAt = (at: number) => db.run("update jobs set completed_at = ? where id = 'job-0'", at);
    await endsAt(clock.now() - 5);
    const [expected, reads] = [await bySums(), await readSums()];
    // Of the trends, and of the times.
    expect(reads).toHaveLength(2);
    await endsAt(clock.now() + 5);
    expect(await readSums()).toEqual(reads);
    expect((await bySums()).intervals).toEqual(expected.intervals);
    await endsAt(clock.now() + 3 * periodMs);
    expect(await readSums()).toHaveLength(1);
  },
);

it('a period is summed up by the duty once it is over, and those of more than a month ago are forgotten', async () => {
  const { clock, maintenance, periods } = await aDayOfJobs();
  await maintenance.runOnce();
  const last = (await periods()).at(-1) ?? 0;
  expect(last).toBeLessThanOrEqual(clock.now() - periodMs);
  clock.pass(2 * periodMs);
  await maintenance.runOnce();
  expect((await periods()).at(-1)).toBe(last + 2 * periodMs);
  clock.pass(33 * 86_400_000);
  await maintenance.runOnce();
  expect((await periods())[0]).toBeGreaterThan(last);
});

it('a sum that something else has made wrong is found by the daily check and made anew', async () => {
  const { db, clock, maintenance, bySums, byRows } = await aDayOfJobs();
  await sumUpPeriods(db, clock.now());
  expect(await dropWrongPeriods(db)).toBe(0);
  await db.run('update job_periods set completed = completed + 1 where completed > 0');
  clock.pass(86_400_001);
  await maintenance.runOnce();
  expect(await bySums()).toEqual(await byRows());
  expect(await dropWrongPeriods(db)).toBe(0);
});
