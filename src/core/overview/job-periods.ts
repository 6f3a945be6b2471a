import type { EpochMs } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import { insertRow } from '../../store/insert-row.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Times } from '../metrics/task-figures.js';

/** What is summed up: a quarter of an hour. The intervals of every range on the page begin at one. */
export const periodMs = 900_000;

/** What a range of time had of jobs. */
export interface JobSums {
  submitted: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** Of those that ended in it. */
  neverStarted: number;
  inputTokens: number;
  outputTokens: number;
}

export const noJobs: Readonly<JobSums> = {
  submitted: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  neverStarted: 0,
  inputTokens: 0,
  outputTokens: 0,
};

/** What one period had of jobs. */
export interface JobPeriod extends JobSums {
  /** When it began. */
  at: EpochMs;
  /** When those that ended in it were started: beginnings of periods, each followed by its number of jobs. */
  starts: number[];
}

/** How long the jobs took that completed or failed in a period. */
export interface PeriodTimes {
  at: EpochMs;
  /** Numbers of jobs, each followed by the shortest and the longest of their times, in buckets 5 % wide. */
  times: number[];
}

/** Whether a range consists of whole periods, and its intervals too. */
export const isOfPeriods = ({ from, length }: { from: EpochMs; length: number }): boolean =>
  from % periodMs === 0 && length % periodMs === 0;

/**
 * The periods from `from` to before `to`, both multiples of `periodMs`. Those that are summed up cost the same whatever
 * they had, the others are read from the rows. Periods without jobs may be missing.
 */
export async function readPeriods(sql: Sql, from: EpochMs, to: EpochMs): Promise<JobPeriod[]> {
  const rows = await sql.all<Omit<JobPeriod, 'starts'> & { starts: string }>(
    `select at, submitted, completed, failed, cancelled, never_started as "neverStarted", input_tokens as "inputTokens",
       output_tokens as "outputTokens", starts
     from job_periods where at >= ? and at < ?`,
    from,
    to,
  );
  const periods = rows.map(({ starts, ...sums }) => ({ ...sums, starts: readJson<number[]>(starts) }));
  for (const gap of gaps(rows, from, to)) periods.push(...(await sumUp(sql, gap)));
  return periods;
}

/** The times of jobs in the same periods. */
export async function readPeriodTimes(sql: Sql, from: EpochMs, to: EpochMs): Promise<PeriodTimes[]> {
  const rows = await sql.all<{ at: EpochMs; times: string }>(
    'select at, times from job_periods where at >= ? and at < ?',
    from,
    to,
  );
  const periods = rows.map(({ at, times }) => ({ at, times: readJson<number[]>(times) }));
  for (const gap of gaps(rows, from, to)) periods.push(...(await sumUpTimes(sql, gap)));
  return periods;
}

/** Sums may be missing of the last of them, which are not over for long. */
const settlesMs = 300_000;
const longestMs = 32 * 86_400_000;
/** So much is summed up in one transaction. */
const batchMs = 6 * 3_600_000;

/**
 * Sums up the periods of the last month that are over and are not summed up, or are no longer because a job has changed.
 * Whoever does it twice changes nothing: a sum is made in the transaction that finds it missing.
 */
export async function sumUpPeriods(db: Database, now: EpochMs): Promise<void> {
  const to = periodOf(now - settlesMs);
  const oldest = await db.get<{ at: EpochMs | null }>('select min(created_at) as at from jobs');
  if (oldest?.at == null) return;
  const from = Math.max(periodOf(oldest.at), to - longestMs);
  await db.run('delete from job_periods where at < ?', from);
  const known = (sql: Sql) => sql.all<{ at: EpochMs }>('select at from job_periods where at >= ? and at < ?', from, to);
  for (const [first, behind] of gaps(await known(db), from, to)) {
    for (let at = first; at < behind; at += batchMs) {
      await db.transaction(async (sql) => {
        // Looked at again under the lock.
        for (const gap of gaps(await known(sql), at, Math.min(at + batchMs, behind))) await keepSums(sql, gap);
      });
    }
  }
}

/** Deletes sums that are not those of the rows, to be made anew. Resolves to how many there were: none, as triggers do it. */
export function dropWrongPeriods(sql: Sql): Promise<number> {
  const ended = `from jobs where completed_at >= job_periods.at and completed_at < job_periods.at + ${periodMs}`;
  return sql.run(
    `delete from job_periods
     where submitted <> (select count(*) from jobs where created_at >= job_periods.at and created_at < job_periods.at + ${periodMs})
       or completed <> (select count(case when status = 'completed' then 1 end) ${ended})
       or failed <> (select count(case when status = 'failed' then 1 end) ${ended})
       or cancelled <> (select count(case when status = 'cancelled' then 1 end) ${ended})
       or input_tokens + output_tokens <> (select coalesce(sum(input_tokens + output_tokens), 0) ${ended})`,
  );
}

const periodOf = (time: EpochMs): EpochMs => Math.floor(time / periodMs) * periodMs;

type Range = readonly [from: EpochMs, to: EpochMs];

/** The ranges between `from` and `to` that these periods leave out. */
function gaps(periods: readonly { at: EpochMs }[], from: EpochMs, to: EpochMs): Range[] {
  const known = new Set(periods.map(({ at }) => at));
  const found: [from: EpochMs, to: EpochMs][] = [];
  for (let at = from; at < to; at += periodMs) {
    if (known.has(at)) continue;
    const last = found.at(-1);
    if (last?.[1] === at) last[1] = at + periodMs;
    else found.push([at, at + periodMs]);
  }
  return found;
}

async function keepSums(sql: Sql, range: Range): Promise<void> {
  const [from, to] = range;
  const sums = new Map((await sumUp(sql, range)).map((period) => [period.at, period]));
  const timesOf = new Map((await sumUpTimes(sql, range)).map(({ at, times }) => [at, times]));
  for (let at = from; at < to; at += periodMs) {
    const { neverStarted, inputTokens, outputTokens, starts, ...counts } = sums.get(at) ?? emptyPeriod(at);
    await insertRow(sql, 'job_periods', {
      ...counts,
      never_started: neverStarted,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      starts: JSON.stringify(starts),
      times: JSON.stringify(timesOf.get(at) ?? []),
    });
  }
}

/** What the periods of a range had, from the rows; those without jobs are missing. */
async function sumUp(sql: Sql, [from, to]: Range): Promise<JobPeriod[]> {
  const [submitted, ended, starts] = await Promise.all([
    sql.all<{ place: number; count: number }>(submittedRows, from, to),
    sql.all<EndedRow>(endedRows, from, to),
    sql.all<{ place: number; start: number; count: number }>(startedRows, from, to),
  ]);
  const periods = new Map<number, JobPeriod>();
  const at = (place: number): JobPeriod => {
    const period = periods.get(place) ?? emptyPeriod(place * periodMs);
    periods.set(place, period);
    return period;
  };
  for (const { place, count } of submitted) at(place).submitted = count;
  for (const { place, ...counts } of ended) Object.assign(at(place), counts);
  for (const { place, start, count } of starts) at(place).starts.push(start * periodMs, count);
  return [...periods.values()];
}

async function sumUpTimes(sql: Sql, [from, to]: Range): Promise<PeriodTimes[]> {
  const rows = await sql.all<{ place: number } & Times>(timedRows, from, to);
  const periods = new Map<number, number[]>();
  for (const { place, count, shortest, longest } of rows) {
    const times = periods.get(place) ?? [];
    periods.set(place, times);
    times.push(count, shortest, longest);
  }
  return [...periods].map(([place, times]) => ({ at: place * periodMs, times }));
}

const emptyPeriod = (at: EpochMs): JobPeriod => ({ at, ...noJobs, starts: [] });

type EndedRow = { place: number } & Omit<JobSums, 'submitted'>;

const submittedRows = `select created_at / ${periodMs} as place, count(*) as count from jobs
  where created_at >= ? and created_at < ? group by created_at / ${periodMs}`;

const place = `completed_at / ${periodMs}`;
const isWithin = 'completed_at >= ? and completed_at < ?';

const endedRows = `
  select ${place} as place, count(*) filter (where status = 'completed') as completed,
    count(*) filter (where status = 'failed') as failed, count(*) filter (where status = 'cancelled') as cancelled,
    count(*) filter (where started_at is null) as "neverStarted",
    cast(sum(input_tokens) as bigint) as "inputTokens", cast(sum(output_tokens) as bigint) as "outputTokens"
  from jobs where ${isWithin} group by ${place}`;

const startedRows = `select ${place} as place, started_at / ${periodMs} as start, count(*) as count
  from jobs where ${isWithin} and started_at is not null group by ${place}, started_at / ${periodMs}`;

/** In buckets 5 % wide. Of jobs that have ended all but these statuses; named, they would be looked for by their index. */
const timedRows = `
  select place, floor(20 * ln(1 + ms)) as bucket, count(*) as count, min(ms) as shortest, max(ms) as longest
  from (
    select ${place} as place, case when completed_at > started_at then completed_at - started_at else 0 end as ms
    from jobs where ${isWithin} and status <> 'cancelled' and started_at is not null
  ) as timed group by place, bucket order by place, bucket`;
