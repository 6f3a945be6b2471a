import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';

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
 * The `windowMs` before now, or before `to`, in `count` equal intervals, from the rows of jobs. Purged jobs are missing, and a job that was retried
 * counts by its last start.
 */
export async function readTrends(sql: Sql, window: TrendWindow): Promise<Interval[]> {
  const { windowMs, count, now, to = now } = window;
  const from = to - windowMs;
  const length = windowMs / count;
  const rows = await readIntervals(sql, window);
  const started = await readStarts(sql, window);
  const before = await sql.get<{ count: number }>(presentBefore, from, now, from, from);
  let running = started.get(-1) ?? 0;
  let queued = (before?.count ?? 0) - running;
  return rows.map(({ place, submitted, completed, failed, cancelled, never_started, input_tokens, output_tokens }) => {
    const starts = started.get(place) ?? 0;
    queued += submitted - starts - never_started;
    running += starts - (completed + failed + cancelled - never_started);
    return {
      at: Math.round(from + (place + 1) * length),
      submitted,
      completed,
      failed,
      cancelled,
      inputTokens: input_tokens,
      outputTokens: output_tokens,
      queued,
      running,
    };
  });
}

interface IntervalRow {
  place: number;
  submitted: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Of those that ended. */
  never_started: number;
  input_tokens: number;
  output_tokens: number;
}

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
    (select count(case when started_at is null then 1 end) ${ended}) as never_started,
    (select cast(coalesce(sum(input_tokens), 0) as bigint) ${ended}) as input_tokens,
    (select cast(coalesce(sum(output_tokens), 0) as bigint) ${ended}) as output_tokens
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
