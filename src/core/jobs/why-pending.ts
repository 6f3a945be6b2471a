import type { Clock } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { readRateGates } from '../rates/rates.js';
import type { Capabilities } from './claim-job.js';
import type { JobRow } from './job.js';
import { type Lane, type LaneLimit, modulePrefix } from './lane.js';
import { hasWorkerWith } from './queue-worker.js';
import { findJob } from './read-jobs.js';

export interface QueueLimits {
  lanes: Record<Lane, LaneLimit>;
  capabilities: Capabilities;
}

/** A sentence on why a job is not at work yet; undefined for one that is, or has ended. Throws as `findJob` does. */
export async function whyPending(sql: Sql, id: string, limits: QueueLimits, clock: Clock): Promise<string | undefined> {
  const row = await findJob(sql, id);
  if (row.status !== 'pending') return undefined;
  return (
    (await waitsForJobs(sql, row)) ??
    waitsForTime(row, clock) ??
    (await waitsForKey(sql, row)) ??
    (await waitsForRate(sql, row, clock)) ??
    (await lacksWorker(sql, row)) ??
    lacksRunner(row, limits.capabilities) ??
    (await waitsForOthers(sql, row, limits.lanes))
  );
}

async function waitsForJobs(sql: Sql, { id }: JobRow): Promise<string | undefined> {
  const open = await sql.all<{ id: string; status: string }>(
    `select j.id, j.status from job_dependencies d join jobs j on j.id = d.depends_on
     where d.job_id = ? and d.is_satisfied = 0 order by j.seq`,
    id,
  );
  if (open.length === 0) return undefined;
  const named = open.slice(0, 3).map((job) => `${job.id} (${job.status})`);
  return `It waits for job ${named.join(', ')}${open.length > named.length ? ` and ${open.length - named.length} more` : ''}.`;
}

function waitsForTime(
  { run_at, run_tick, attempt, blocked_by, error_message }: JobRow,
  clock: Clock,
): string | undefined {
  if (run_tick === 0 || run_at <= clock.now()) return undefined;
  const time = new Date(run_at).toISOString();
  if (blocked_by !== null) {
    const breakers = (JSON.parse(blocked_by) as string[]).join(', ');
    return `The breaker ${breakers} let nothing through; it asks again at ${time}, or when the breaker closes.`;
  }
  if (attempt > 0)
    return `Its attempt ${attempt} ended with: ${error_message ?? 'no error'} The next one begins at ${time}.`;
  return `It was submitted to start at ${time}.`;
}

async function waitsForKey(sql: Sql, { concurrency_key: key, concurrency_limit: own }: JobRow) {
  if (key === null) return undefined;
  const { running, least } = (await sql.get<{ running: number; least: number | null }>(
    `select count(*) as running, min(concurrency_limit) as least from jobs
     where status = 'running' and (concurrency is not null or concurrency_key is not null) and concurrency_key = ?`,
    key,
  )) ?? { running: 0, least: null };
  if (running < Math.min(own ?? 1, least ?? Number.POSITIVE_INFINITY)) return undefined;
  const jobs = running === 1 ? '1 job with it is running' : `${running} jobs with it are running`;
  return `It waits for its concurrency key ${key}: ${jobs}, and no more may at once.`;
}

async function waitsForRate(sql: Sql, { requires }: JobRow, clock: Clock): Promise<string | undefined> {
  const { wait } = (await readRateGates(sql, clock)).get(requires ?? '') ?? {};
  return wait && `${wait.reason} It may start at ${new Date(wait.until).toISOString()}.`;
}

async function lacksWorker(sql: Sql, { needs }: JobRow): Promise<string | undefined> {
  if (needs === null) return undefined;
  if (await hasWorkerWith(sql, needs)) return `It waits until a worker that provides ${needs} has room.`;
  return `It waits for a worker that provides ${needs}, and none lives. Start one: agent-runtime worker --provides ${needs}`;
}

function lacksRunner({ type, requires }: JobRow, { types, provides }: Capabilities): string | undefined {
  const isOfModule = requires?.startsWith(modulePrefix) === true;
  if (requires !== null && !provides.includes(requires)) {
    const what = isOfModule ? `the module ${requires.slice(modulePrefix.length)}` : requires;
    return `It waits for a session that has ${what}; this one does not.`;
  }
  return isOfModule || types.has(type) ? undefined : `It waits for a session that knows jobs of type ${type}.`;
}

async function waitsForOthers(sql: Sql, row: JobRow, lanes: QueueLimits['lanes']): Promise<string> {
  const counts = await sql.get<{ same: number; running: number; before: number }>(
    `select count(*) filter (where status = 'running' and type = ?) as same,
       count(*) filter (where status = 'running' and runner_id is not null) as running,
       count(*) filter (where status = 'pending' and unfinished_dependencies = 0
         and (queue_at < ? or (queue_at = ? and seq < ?))) as before
     from jobs where status in ('pending', 'running') and lane = ?`,
    row.type,
    row.queue_at,
    row.queue_at,
    row.seq,
    row.lane,
  );
  const { same = 0, running = 0, before = 0 } = counts ?? {};
  if (row.concurrency !== null && same >= row.concurrency) {
    return `${same} jobs of type ${row.type} are running, and no more may at once.`;
  }
  const { atOnce } = lanes[row.lane];
  if (running < atOnce) return 'A process is starting for it.';
  const limit = row.lane === 'call' ? 'limits.maxModelCalls' : 'limits.maxRunningJobs';
  const ahead = before === 0 ? 'it is the next' : `${before} ${before === 1 ? 'job is' : 'jobs are'} before it`;
  return `${running} jobs are running, which is the most (${limit}), and ${ahead}.`;
}
