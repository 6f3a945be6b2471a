import type { EpochMs } from '../../base/clock.js';
import { type Cost, noCost } from '../../base/money.js';
import type { Sql } from '../../store/sql.js';
import { readCounters } from './counters.js';
import { readTaskFigures, type TaskFigures } from './task-figures.js';

/** The jobs of one type in a window of time, and those that are open now. Times are seconds. */
export interface TypeSummary {
  type: string;
  submitted: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** The share of failed among completed and failed jobs; null when there were none. */
  errorRate: number | null;
  /** Execution times of attempts that completed or failed. */
  averageSeconds: number | null;
  p95Seconds: number | null;
  queued: number;
  /** Those of them that could run now. */
  ready: number;
  running: number;
  oldestQueuedSeconds: number | null;
}

export interface AgentSummary {
  agent: string;
  slots: number;
  busy: number;
  /** Busy time over slots times window, 0 to 1. */
  utilization: number;
}

export interface Summary {
  /** The window: after `from`, up to `at` included. */
  from: EpochMs;
  at: EpochMs;
  types: TypeSummary[];
  agents: AgentSummary[];
  errors: { type: string; code: string; count: number }[];
  /** Of the jobs that ended in the window. A run of a goal only sums up its jobs, and is not counted beside them. */
  cost: Cost;
  tasks: TaskFigures;
  /** Of all types together. */
  averageSeconds: number | null;
  /** Since the database was created: a purge does not lower them. */
  totals: Totals;
}

export interface Totals {
  jobsSubmitted: number;
  jobsCompleted: number;
  jobsFailed: number;
  jobsCancelled: number;
  llmRequests: number;
  llmErrors: number;
  llmInputTokens: number;
  llmOutputTokens: number;
  llmCost: Cost;
  toolCalls: number;
  toolErrors: number;
}

/**
 * Sums up the last `windowMs` from the rows of jobs and attempts. Purged jobs are missing, and a job retried by hand counts
 * with its present status. Rows in the future, which a clock that was set back leaves, are left out.
 */
export async function readSummary(
  sql: Sql,
  slots: ReadonlyMap<string, number>,
  { windowMs, now }: { windowMs: number; now: EpochMs },
): Promise<Summary> {
  const window = [now - windowMs, now] as const;
  const submitted = await sql.all<{ type: string; count: number }>(
    'select type, count(*) as count from jobs where created_at > ? and created_at <= ? group by type',
    ...window,
  );
  const ended = await sql.all<EndedRow>(endedJobs, ...window);
  const open = await sql.all<OpenRow>(openJobs, now);
  const { times, tried } = await readAttempts(sql, window);

  const countOf = (type: string, status: string) =>
    ended.find((row) => row.type === type && row.status === status)?.count ?? 0;
  const busy = await addRunning(sql, window, tried);
  const types = [...new Set([...submitted, ...ended, ...times, ...open].map(({ type }) => type))].sort();
  return {
    from: window[0],
    at: now,
    types: types.map((type) => {
      const [completed, failed] = [countOf(type, 'completed'), countOf(type, 'failed')];
      const time = times.find((row) => row.type === type);
      const queue = open.find((row) => row.type === type);
      return {
        type,
        submitted: submitted.find((row) => row.type === type)?.count ?? 0,
        completed,
        failed,
        cancelled: countOf(type, 'cancelled'),
        errorRate: completed + failed === 0 ? null : failed / (completed + failed),
        averageSeconds: time ? time.total / time.count / 1000 : null,
        p95Seconds: time ? time.p95 / 1000 : null,
        queued: queue?.queued ?? 0,
        ready: queue?.ready ?? 0,
        running: queue?.running ?? 0,
        oldestQueuedSeconds: queue?.oldest == null ? null : Math.max(0, now - queue.oldest) / 1000,
      };
    }),
    agents: [...slots].map(([agent, count]) => ({
      agent,
      slots: count,
      busy: open.find((row) => row.type === agent)?.running ?? 0,
      utilization: Math.min(1, (busy.get(agent) ?? 0) / ((count * windowMs) / 1000)),
    })),
    errors: mostErrors(tried),
    cost: costOf(ended),
    tasks: await readTaskFigures(sql, { from: window[0], to: now }),
    averageSeconds: average(times),
    totals: await readTotals(sql),
  };
}

interface EndedRow extends Cost {
  type: string;
  status: string;
  count: number;
}

const endedJobs = `
  select type, status, count(*) as count, cast(sum(cost_micros) as bigint) as micros,
    cast(sum(unpriced_calls) as bigint) as unpriced
  from jobs where completed_at > ? and completed_at <= ? group by type, status`;

function costOf(ended: readonly EndedRow[]): Cost {
  const priced = ended.filter(({ type }) => type !== 'run_goal');
  return priced.reduce(
    (sum, { micros, unpriced }) => ({ micros: sum.micros + micros, unpriced: sum.unpriced + unpriced }),
    noCost,
  );
}

interface TimesRow {
  type: string;
  count: number;
  /** Milliseconds. */
  total: number;
  p95: number;
}

interface OpenRow {
  type: string;
  queued: number;
  ready: number;
  running: number;
  oldest: number | null;
}

/**
 * Attempts that ended after a time, which is given twice. Their jobs ended after it too, or are still open: so an index of
 * attempts by their end, which would cost every claim and finish a page more, is not needed. With a plain `type` the
 * planner would scan all jobs by type rather than sort the few.
 */
const attemptsSince = `(
    select id, type from jobs where completed_at > ?
    union all select id, type || '' as type from jobs where status = 'running'
    union all select id, type || '' as type from jobs where status = 'pending' and attempt > 0
  ) recent join job_attempts a on a.job_id = recent.id where a.ended_at > ?`;

/** SQL: whether a pending job could run now, if a runner took it; takes the time. */
export const couldRunNow = '(unfinished_dependencies = 0 and (coalesce(run_tick, 1) = 0 or run_at <= ?))';

const queuedSince = 'case when run_at > created_at then run_at else created_at end';

/** From the stored counts, the oldest of each type by its index, and those that could run in one pass of the same index. */
const openJobs = `
  select type, queued, running,
    (select count(*) from jobs where status = 'pending' and type = counted.type and ${couldRunNow}) as ready,
    (select ${queuedSince} from jobs where status = 'pending' and type = counted.type order by ${queuedSince} limit 1) as oldest
  from (
    select type, cast(coalesce(sum(count) filter (where state = 'pending'), 0) as bigint) as queued,
      cast(coalesce(sum(count) filter (where state = 'running'), 0) as bigint) as running
    from job_counts where state in ('pending', 'running') group by type
  ) as counted where queued + running > 0`;

/** The attempts of a type that ended in the window and failed by one error; without a code those that did not fail. */
interface TriedRow {
  type: string;
  code: string | null;
  count: number;
  /** How much of the window they took. */
  busyMs: number;
}

/**
 * Two kinds of rows: execution times, and what `TriedRow` says, of the same attempts, which are read once. The 95th
 * percentile is by nearest rank: the smallest time that 95 of 100 do not exceed.
 */
const attempted = `
  with tried as materialized (
    select recent.type as type, a.outcome as outcome, a.error_code as error_code, a.started_at as started_at, a.ended_at as ended_at
    from ${attemptsSince}
  ), timed as (
    select type, case when ended_at > started_at then ended_at - started_at else 0 end as ms
    from tried where ended_at <= ? and outcome in ('completed', 'failed')
  ), ranked as (
    select type, ms, row_number() over (partition by type order by ms) as place, count(*) over (partition by type) as size
    from timed
  )
  select type, null as code, count(*) as count, cast(sum(ms) as bigint) as total,
    max(case when place = (95 * size + 99) / 100 then ms end) as p95, null as "busyMs"
  from ranked group by type
  union all
  select type, code, count(*) as count, null as total, null as p95,
    cast(sum(case when behind > first then behind - first else 0 end) as bigint) as "busyMs"
  from (
    select type,
      case when outcome in ('failed', 'lost') and ended_at <= ? then coalesce(error_code, 'unknown') end as code,
      case when started_at > ? then started_at else cast(? as bigint) end as first,
      case when ended_at < ? then ended_at else cast(? as bigint) end as behind
    from tried
  ) as bounded group by type, code`;

async function readAttempts(
  sql: Sql,
  [from, now]: readonly [number, number],
): Promise<{ times: TimesRow[]; tried: TriedRow[] }> {
  const rows = await sql.all<TimesRow | (TriedRow & { total: null })>(
    attempted,
    from,
    from,
    now,
    now,
    from,
    from,
    now,
    now,
  );
  const times: TimesRow[] = [];
  const tried: TriedRow[] = [];
  for (const row of rows) {
    if (row.total === null) tried.push(row);
    else times.push(row);
  }
  return { times, tried };
}

const mostErrors = (tried: readonly TriedRow[]): Summary['errors'] =>
  tried
    .flatMap(({ type, code, count }) => (code === null ? [] : [{ type, code, count }]))
    .sort((a, b) => b.count - a.count || compare(a.type, b.type) || compare(a.code, b.code))
    .slice(0, 20);

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Seconds of attempts within the window, by type. An attempt that is running counts until now. */
async function addRunning(
  sql: Sql,
  [from, now]: readonly [number, number],
  tried: readonly TriedRow[],
): Promise<Map<string, number>> {
  const running = await sql.all<{ type: string; started_at: number }>(
    `select j.type, a.started_at from jobs j join job_attempts a on a.job_id = j.id and a.attempt = j.attempt
     where j.status = 'running'`,
  );
  const busy = new Map<string, number>();
  const add = (type: string, ms: number) => busy.set(type, (busy.get(type) ?? 0) + Math.max(0, ms) / 1000);
  for (const { type, busyMs } of tried) add(type, busyMs);
  for (const { type, started_at } of running) add(type, now - Math.max(started_at, from));
  return busy;
}

function average(times: readonly TimesRow[]): number | null {
  const count = times.reduce((sum, row) => sum + row.count, 0);
  return count === 0 ? null : times.reduce((sum, row) => sum + row.total, 0) / count / 1000;
}

async function readTotals(sql: Sql): Promise<Totals> {
  const rows = await readCounters(sql);
  const sum = (name: string, fits: (labels: string[]) => boolean = () => true) =>
    rows.filter((row) => row.name === name && fits(row.labels)).reduce((total, { value }) => total + value, 0);
  const finished = (status: string) => sum('jobs_finished_total', (labels) => labels[1] === status);
  return {
    jobsSubmitted: sum('jobs_submitted_total'),
    jobsCompleted: finished('completed'),
    jobsFailed: finished('failed'),
    jobsCancelled: finished('cancelled'),
    llmRequests: sum('llm_requests_total'),
    llmErrors: sum('llm_requests_total', (labels) => labels[2] !== 'ok'),
    llmInputTokens: sum('llm_tokens_total', (labels) => labels[2] === 'input'),
    llmOutputTokens: sum('llm_tokens_total', (labels) => labels[2] === 'output'),
    llmCost: {
      micros: Math.round(sum('llm_cost_dollars_total') * 1e6),
      unpriced: sum('llm_unpriced_requests_total'),
    },
    toolCalls: sum('tool_calls_total'),
    toolErrors: sum('tool_calls_total', (labels) => labels[1] !== 'ok'),
  };
}
