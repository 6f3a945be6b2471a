import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import { newToken } from '../../base/ids.js';
import type { Sql, Value } from '../../store/sql.js';
import { recordEvent } from '../events/events.js';
import { leaseFor, leaseValues } from '../lease.js';
import { wasPostponed } from './attempts.js';
import { isTaskCancelled } from './board-task.js';
import { type JobRow, runGoal } from './job.js';

/** What a runner, or the server that would start one, is able to run. */
export interface Capabilities {
  /** Job types that need nothing but a runner, beside what a job of theirs requires. */
  types: ReadonlySet<string>;
  /** Providers, commands and modules that are configured here. */
  provides: readonly string[];
}

/**
 * What a job of a module requires. Which types a module serves only its own code knows, so that such a job may be of any
 * type: whoever has the module is able to run it.
 */
export const modulePrefix = 'module:';

/** The same text for processes that are able to run the same jobs: sessions may be configured with different keys. */
export function capabilityHash({ types, provides }: Capabilities): string {
  const all = JSON.stringify([[...types.keys()].sort(), [...provides].sort()]);
  return createHash('sha256').update(all).digest('hex').slice(0, 8);
}

/**
 * A runner that does not answer is ended this long after its attempt should have been over: enough for the agent to
 * stop, for the last notes, and for the outcome to be put aside when the database takes none.
 */
const timeoutGraceMs = 30_000;

/** Chooses and claims the next job in one statement; resolves to nothing when none is ready for this runner. */
export async function claimJob(
  sql: Sql,
  runnerId: string,
  capabilities: Capabilities,
  clock: Clock,
): Promise<JobRow | undefined> {
  const now = clock.now();
  const ready = await readyFor(sql, capabilities, now);
  const row = await sql.get<JobRow>(
    `update jobs set status = 'running', attempt = attempt + 1, tries = tries + 1, runner_id = ?, attempt_token = ?,
       progress = null, progress_message = null, error_code = null, error_message = null,
       started_at = coalesce(started_at, ?), completed_at = null, updated_at = ?
     where seq = (select seq from jobs where ${ready.text} order by priority desc, run_at, seq limit 1) returning *`,
    runnerId,
    newToken(),
    now,
    now,
    ...ready.values,
  );
  if (!row) return undefined;
  await sql.run(
    'update jobs set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ? where seq = ?',
    ...leaseValues(leaseFor(clock, row.timeout_seconds * 1000 + timeoutGraceMs)),
    row.seq,
  );
  await sql.run('delete from job_chunks where job_id = ?', row.id);
  await sql.run(
    'insert into job_attempts (job_id, attempt, runner_id, started_at) values (?, ?, ?, ?)',
    row.id,
    row.attempt,
    runnerId,
    now,
  );
  const data = { attempt: row.attempt, runner: runnerId };
  if (!(await wasPostponed(sql, row))) {
    await recordEvent(sql, { at: now, subject: 'job', subjectId: row.id, type: 'started', data });
  }
  return row;
}

/** How many jobs could start now, counted up to `limit`. */
export async function countReady(sql: Sql, capabilities: Capabilities, now: number, limit: number): Promise<number> {
  const ready = await readyFor(sql, capabilities, now);
  const row = await sql.get<{ count: number }>(
    `select count(*) as count from (select 1 from jobs where ${ready.text} limit ?)`,
    ...ready.values,
    limit,
  );
  return row?.count ?? 0;
}

/**
 * When there is next something to do for this runner, epoch milliseconds: a job is due, or a task of a run, which only
 * then becomes a job.
 */
export async function nextDueAt(sql: Sql, capabilities: Capabilities): Promise<number | undefined> {
  const times = [await nextJobAt(sql, capabilities), await nextHeldTaskAt(sql, capabilities)];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

async function nextHeldTaskAt(sql: Sql, { provides }: Capabilities): Promise<number | undefined> {
  const row = await sql.get<{ due: number | null }>(
    `select min(not_before) as due from tasks
     where is_held = 1 and status = 'pending' and unfinished_dependencies = 0 and exists (select 1 from jobs
       where jobs.goal_id = tasks.goal_id and type = '${runGoal}' and jobs.status = 'running'
         and requires in (${marks(provides)}))`,
    ...provides,
  );
  return row?.due ?? undefined;
}

async function nextJobAt(sql: Sql, capabilities: Capabilities): Promise<number | undefined> {
  const runnable = runnableBy(capabilities);
  const row = await sql.get<{ due: number | null }>(
    `select min(run_at) as due from jobs where status = 'pending' and unfinished_dependencies = 0
       and ${runnable.text} and not ${isTaskCancelled}`,
    ...runnable.values,
  );
  return row?.due ?? undefined;
}

interface Condition {
  text: string;
  values: Value[];
}

async function readyFor(sql: Sql, capabilities: Capabilities, now: number): Promise<Condition> {
  const runnable = runnableBy(capabilities);
  const full = await fullTypes(sql);
  return {
    text: `status = 'pending' and unfinished_dependencies = 0 and run_at <= ? and ${runnable.text}
      ${full.length === 0 ? '' : `and type not in (${marks(full)})`} and not ${isTaskCancelled}`,
    values: [now, ...runnable.values, ...full],
  };
}

function runnableBy({ types, provides }: Capabilities): Condition {
  const known = [...types];
  return {
    text: `(type in (${marks(known)}) or requires like '${modulePrefix}%')
      and (requires is null or requires in (${marks(provides)}))`,
    values: [...known, ...provides],
  };
}

/** Types of which as many jobs run, over all processes, as the strictest of these jobs allows. */
async function fullTypes(sql: Sql): Promise<string[]> {
  const rows = await sql.all<{ type: string }>(
    "select type from jobs where status = 'running' group by type having count(*) >= min(concurrency)",
  );
  return rows.map((row) => row.type);
}

/** `?, ?, ?`; null for an empty list, which no value is in. */
function marks(values: readonly string[]): string {
  return values.length === 0 ? 'null' : values.map(() => '?').join(', ');
}
