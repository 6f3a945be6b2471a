import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { percentileOf, type Times } from '../metrics/task-figures.js';
import { isOfPeriods, readPeriodTimes } from './job-periods.js';

/** The jobs and tasks that ended in one interval of time. */
export interface Durations {
  /** Seconds from the last start of a job to its end; null when none ended. */
  jobs: { median: number; p95: number } | null;
  tasksCompleted: number;
  tasksFailed: number;
  /** Seconds from the first start of a task to its completion; null when none was completed. */
  tasks: { median: number; p90: number } | null;
}

interface Window {
  from: EpochMs;
  to: EpochMs;
  /** Of equal intervals. */
  count: number;
}

interface PlacedTimes extends Times {
  place: number;
}

/**
 * How long what ended in each interval took. Times are counted in buckets 5 % wide, so that one pass of an index reads a
 * window however much is in it; few times are exact.
 */
export async function readDurations(sql: Sql, { from, to, count }: Window): Promise<Durations[]> {
  const values = [from, (to - from) / count, from, to];
  const length = (to - from) / count;
  const jobs = isOfPeriods({ from, length })
    ? await readSummedTimes(sql, { from, to, count })
    : await sql.all<PlacedTimes>(jobTimes, ...values);
  const tasks = await sql.all<PlacedTimes>(taskTimes, ...values);
  const ended = await sql.all<{ place: number; status: string; count: number }>(endedTasks, ...values);
  // A moment at the end of the window is in its last interval.
  const isOf = (place: number) => (row: { place: number }) => Math.min(Number(row.place), count - 1) === place;
  return Array.from({ length: count }, (_, place) => {
    const [ofJobs, ofTasks] = [jobs.filter(isOf(place)), tasks.filter(isOf(place))];
    const number = (status: string) =>
      ended.filter(isOf(place)).reduce((sum, row) => sum + (row.status === status ? row.count : 0), 0);
    return {
      jobs: ofJobs.length === 0 ? null : { median: percentileOf(ofJobs, 0.5), p95: percentileOf(ofJobs, 0.95) },
      tasksCompleted: number('completed'),
      tasksFailed: number('failed'),
      tasks: ofTasks.length === 0 ? null : { median: percentileOf(ofTasks, 0.5), p90: percentileOf(ofTasks, 0.9) },
    };
  });
}

/** The times of jobs in buckets as wide, off the sums of the periods that each interval consists of. */
async function readSummedTimes(sql: Sql, { from, to, count: places }: Window): Promise<PlacedTimes[]> {
  const buckets = new Map<number, PlacedTimes>();
  for (const { at, times } of await readPeriodTimes(sql, from, to)) {
    const place = Math.floor(((at - from) / (to - from)) * places);
    for (let triple = 0; triple < times.length; triple += 3) {
      const [count = 0, shortest = 0, longest = 0] = [times[triple], times[triple + 1], times[triple + 2]];
      const bucket = Math.floor(20 * Math.log(1 + shortest)) * places + place;
      const known = buckets.get(bucket);
      if (known) {
        known.count += count;
        if (shortest < known.shortest) known.shortest = shortest;
        if (longest > known.longest) known.longest = longest;
      } else buckets.set(bucket, { place, count, shortest, longest });
    }
  }
  return [...buckets.values()];
}

const place = 'floor((completed_at - ?) / cast(? as double precision)) as place';

const timesFrom = (rows: string): string => `
  select place, floor(20 * ln(1 + ms)) as bucket, count(*) as count, min(ms) as shortest, max(ms) as longest
  from (
    select ${place}, case when completed_at > started_at then completed_at - started_at else 0 end as ms from ${rows}
  ) as timed group by place, bucket`;

const jobTimes = timesFrom(
  "jobs where completed_at >= ? and completed_at <= ? and status in ('completed', 'failed') and started_at is not null",
);

/** The index that it reads is of ended tasks, and SQLite takes it only where this is said in these words. */
const ofTasks =
  "tasks where status in ('completed', 'failed', 'cancelled') and completed_at >= ? and completed_at <= ?";

const taskTimes = timesFrom(`${ofTasks} and status = 'completed' and started_at is not null`);

const endedTasks = `select place, status, count(*) as count from (select ${place}, status from ${ofTasks}) as ended
  group by place, status`;
