import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { readJobCounts } from '../jobs/job-counts.js';
import { isOfPeriods, type JobSums, noJobs, periodMs, readPeriods } from './job-periods.js';

/** The jobs of one interval of time. */
export interface Interval {
  /** Its end. */
  at: EpochMs;
  submitted: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Of jobs that ended within it. */
  inputTokens: number;
  outputTokens: number;
  /** Jobs that were waiting and running at its end. */
  queued: number;
  running: number;
}

export interface TrendWindow {
  windowMs: number;
  count: number;
  now: EpochMs;
  /** Where the window ends; now unless given. */
  to?: EpochMs | undefined;
}

/**
 * The `windowMs` before now, or before `to`, in `count` equal intervals, from the rows of jobs, or from the sums of the
 * periods that the intervals consist of. Purged jobs are missing, and a job that was retried counts by its last start.
 */
export async function readTrends(sql: Sql, window: TrendWindow): Promise<Interval[]> {
  const { windowMs, count, now, to = now } = window;
  const from = to - windowMs;
  const length = windowMs / count;
  // A window that ends now has this moment in its last interval, and periods end before the next one.
  const hasSums = to !== now && isOfPeriods({ from, length });
  const { rows, started, present } = (hasSums && (await sumFlows(sql, window))) || {
    rows: await readIntervals(sql, window),
    started: await readStarts(sql, window),
    present: (await sql.get<{ count: number }>(presentBefore, from, now, from, from))?.count ?? 0,
  };
  let running = started.get(-1) ?? 0;
  let queued = present - running;
  return rows.map(({ place, submitted, completed, failed, cancelled, neverStarted, inputTokens, outputTokens }) => {
    const starts = started.get(place) ?? 0;
    queued += submitted - starts - neverStarted;
    running += starts - (completed + failed + cancelled - neverStarted);
    return {
      at: Math.round(from + (place + 1) * length),
      submitted,
      completed,
      failed,
      cancelled,
      inputTokens,
      outputTokens,
      queued,
      running,
    };
  });
}

/** What came and went in each interval, by its place. */
interface Flows {
  rows: IntervalRow[];
  /** How many jobs were started in each interval, of those that are open or ended since the window began; -1 is before it. */
  started: Map<number, number>;
  /** How many jobs there were at the beginning of the window that had not ended. */
  present: number;
}

/**
 * The same from the sums of periods; undefined where a clock that was set back far has left ends in the future. What was
 * present at the beginning is what is open now, with what has ended since and without what was submitted since: what ends
 * while this is read, or by the clock of another host, lies in the present period or the next, which are read too.
 */
async function sumFlows(sql: Sql, { windowMs, count, now, to = now }: TrendWindow): Promise<Flows | undefined> {
  const [from, length] = [to - windowMs, windowMs / count];
  const untilNow = Math.max(to, Math.floor(now / periodMs + 2) * periodMs);
  const isLater =
    'select 1 from jobs where completed_at >= ? union all select 1 from jobs where created_at >= ? limit 1';
  if (await sql.get(isLater, untilNow, untilNow)) return undefined;
  const [periods, running, { pending, running: runs }] = await Promise.all([
    readPeriods(sql, from, untilNow),
    sql.all<{ at: EpochMs }>("select started_at as at from jobs where status = 'running' and started_at is not null"),
    readJobCounts(sql, {}),
  ]);
  const rows = Array.from({ length: count }, (_, place): IntervalRow => ({ place, ...noJobs }));
  const started = new Map<number, number>();
  const start = (at: EpochMs, jobs: number) => {
    const place = at < from ? -1 : Math.floor((at - from) / length);
    started.set(place, (started.get(place) ?? 0) + jobs);
  };
  for (const { at } of running) start(at, 1);
  let present = pending + runs;
  for (const { at, starts, ...sums } of periods) {
    present += sums.completed + sums.failed + sums.cancelled - sums.submitted;
    for (let pair = 0; pair < starts.length; pair += 2) start(starts[pair] ?? 0, starts[pair + 1] ?? 0);
    const row = rows[Math.floor((at - from) / length)];
    if (row) for (const name of summed) row[name] += sums[name];
  }
  return { rows, started, present };
}

const summed = Object.keys(noJobs) as (keyof JobSums)[];

type IntervalRow = { place: number } & JobSums;

/**
 * Each figure of each interval is a range of an index, which is several times as fast as to sort the jobs of the window
 * into intervals. A moment at a boundary belongs to the later interval, the present one to the last.
 */
async function readIntervals(sql: Sql, { windowMs, count, now, to = now }: TrendWindow): Promise<IntervalRow[]> {
  const from = to - windowMs;
  return sql.all<IntervalRow>(
    intervals,
    count - 1,
    from,
    from,
    windowMs / count,
    count - 1,
    to,
    from,
    windowMs / count,
    now,
  );
}

/** Where an interval begins. What is lost by division must not move a moment at the boundary. */
const boundaryAt = (place: string): string =>
  `cast(ceil(cast(? as double precision) + ${place} * cast(? as double precision) - 0.000001) as bigint)`;
const ended = 'from jobs where completed_at >= first and completed_at < behind';

/** What is compared in other words than those of an index is not looked for in it: an equality would win over the range. */
const intervals = `
  with recursive places (place) as (
    select 0 union all select place + 1 from places where place < ?
  ), bounds as (
    select place, case when place = 0 then cast(? as bigint) + 1 else ${boundaryAt('place')} end as first,
      case when place = ? then cast(? as bigint) + 1 else ${boundaryAt('(place + 1)')} end as behind
    from places
  )
  select place,
    (select count(*) from jobs where created_at >= first and created_at < behind)
      - (select count(*) from jobs where completed_at > ? and created_at + 0 >= first and created_at + 0 < behind) as submitted,
    (select count(case when status = 'completed' then 1 end) ${ended}) as completed,
    (select count(case when status = 'failed' then 1 end) ${ended}) as failed,
    (select count(case when status = 'cancelled' then 1 end) ${ended}) as cancelled,
    (select count(case when started_at is null then 1 end) ${ended}) as "neverStarted",
    (select cast(coalesce(sum(input_tokens), 0) as bigint) ${ended}) as "inputTokens",
    (select cast(coalesce(sum(output_tokens), 0) as bigint) ${ended}) as "outputTokens"
  from bounds order by place`;

/** How many jobs were started in each interval, of those that are open or ended within the window; -1 is before it. */
async function readStarts(sql: Sql, { windowMs, count, now, to = now }: TrendWindow): Promise<Map<number, number>> {
  const from = to - windowMs;
  const rows = await sql.all<{ place: number; count: number }>(
    starts,
    from,
    from,
    windowMs / count,
    from,
    now,
    now,
    to,
  );
  const started = new Map<number, number>();
  for (const row of rows) {
    const place = Math.min(row.place, count - 1);
    started.set(place, (started.get(place) ?? 0) + row.count);
  }
  return started;
}

const starts = `
  select case when started_at <= ? then -1
    else floor((started_at - cast(? as double precision)) / cast(? as double precision) + 0.000000001) end as place, count(*) as count
  from (
    select started_at from jobs where completed_at > ? and completed_at <= ? and started_at is not null
    union all
    select started_at from jobs where status = 'running' and started_at is not null and created_at <= ?
  ) as started where started_at <= ? group by place`;

/** How many jobs there were at the beginning of the window that had not ended. */
const presentBefore = `
  select (select count(*) from jobs where completed_at > ? and completed_at <= ? and created_at <= ?)
    + (select count(*) from jobs where status in ('pending', 'running') and created_at <= ?) as count`;
