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

/**
 * The last `windowMs` in `count` equal intervals, from the rows of jobs. Purged jobs are missing, and a job that was retried
 * counts by its last start.
 */
export async function readTrends(
  sql: Sql,
  { windowMs, count, now }: { windowMs: number; count: number; now: EpochMs },
): Promise<Interval[]> {
  const from = now - windowMs;
  const length = windowMs / count;
  const rows = await sql.all<IntervalRow>(changes, from, now, now, from, from, length, count - 1, count - 1);
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  const before = byPlace.get(-1);
  let queued = before?.queued ?? 0;
  let running = before?.running ?? 0;
  return Array.from({ length: count }, (_, place) => {
    const row = byPlace.get(place);
    queued += row?.queued ?? 0;
    running += row?.running ?? 0;
    return {
      at: Math.round(from + (place + 1) * length),
      submitted: row?.submitted ?? 0,
      completed: row?.completed ?? 0,
      failed: row?.failed ?? 0,
      cancelled: row?.cancelled ?? 0,
      inputTokens: row?.input_tokens ?? 0,
      outputTokens: row?.output_tokens ?? 0,
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
  input_tokens: number;
  output_tokens: number;
  /** The growth of the queue and of the running jobs within it. */
  queued: number;
  running: number;
}

/**
 * Every job of the window is open, or ended within it. Each gives a row for its submission, its start and its end. Place -1
 * is the time before the window.
 */
const changes = `
  with present as (
    select status, created_at, started_at, completed_at, input_tokens, output_tokens
    from jobs where completed_at > ? and completed_at <= ?
    union all
    select status, created_at, case when status = 'running' then started_at end, null, 0, 0
    from jobs where status in ('pending', 'running') and created_at <= ?
  ), moments as (
    select created_at as at, 1 as submitted, null as ended, 0 as input_tokens, 0 as output_tokens, 1 as queued, 0 as running
    from present
    union all
    select started_at, 0, null, 0, 0, -1, 1 from present where started_at is not null
    union all
    select completed_at, 0, status, input_tokens, output_tokens,
      case when started_at is null then -1 else 0 end, case when started_at is null then 0 else -1 end
    from present where completed_at is not null
  ), placed as (
    select *, case when at <= ? then -1 else cast((at - ?) / ? as integer) end as found from moments
  )
  select case when found > ? then ? else found end as place,
    sum(submitted) as submitted,
    count(*) filter (where ended = 'completed') as completed,
    count(*) filter (where ended = 'failed') as failed,
    count(*) filter (where ended = 'cancelled') as cancelled,
    sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
    sum(queued) as queued, sum(running) as running
  from placed group by place`;
