import { createHash } from 'node:crypto';
import { bootAt, type Clock, type EpochMs } from '../../base/clock.js';
import { newToken } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import { recordEvent } from '../events/events.js';
import { leaseFor, leaseValues } from '../lease.js';
import { wasPostponed } from './attempts.js';
import { isTaskCancelled } from './board-task.js';
import { type JobRow, runGoal } from './job.js';
import { type Lane, modulePrefix } from './lane.js';

/** What a runner, or the server that starts it, can run. */
export interface Capabilities {
  /** The job types that are known here. A job may also require one of `provides`. */
  types: ReadonlySet<string>;
  /** The providers, commands and modules that are configured here. */
  provides: readonly string[];
}

/** The jobs of one lane that a process of this configuration can run. */
export interface LaneWork {
  lane: Lane;
  capabilities: Capabilities;
}

/** A hash that is equal for processes that can run the same jobs: sessions may be configured with different keys. */
export function capabilityHash({ types, provides }: Capabilities): string {
  const all = JSON.stringify([[...types.keys()].sort(), [...provides].sort()]);
  return createHash('sha256').update(all).digest('hex').slice(0, 8);
}

/**
 * A runner that does not answer is killed this long after the timeout of its attempt. That is enough for the agent to
 * stop, for the last progress, and for saving the outcome to a file when the database cannot be written.
 */
const timeoutGraceMs = 30_000;

/** Claims the next job of a lane in one statement. Resolves to undefined when none is ready for this runner. */
export async function claimJob(sql: Sql, runnerId: string, work: LaneWork, clock: Clock): Promise<JobRow | undefined> {
  const now = clock.now();
  const ready = await readyFor(sql, work, clock);
  const row = await sql.get<JobRow>(
    `update jobs set status = 'running', attempt = attempt + 1, tries = tries + 1, runner_id = ?, attempt_token = ?,
       blocked_by = null, progress = null, progress_message = null, error_code = null, error_message = null,
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

/** Counts the jobs of a lane that could start now, up to `limit`. */
export async function countReady(sql: Sql, work: LaneWork, clock: Clock, limit: number): Promise<number> {
  const ready = await readyFor(sql, work, clock);
  const row = await sql.get<{ count: number }>(
    `select count(*) as count from (select 1 from jobs where ${ready.text} limit ?) as ready`,
    ...ready.values,
    limit,
  );
  return row?.count ?? 0;
}

/** When a runner of the lane next has something to do: a job is due, or a held task of a run, which becomes a job only then. */
export async function nextDueAt(sql: Sql, work: LaneWork, clock: Clock): Promise<EpochMs | undefined> {
  const times = [await nextJobAt(sql, work, clock), await nextHeldTaskAt(sql, work)];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

async function nextHeldTaskAt(sql: Sql, { capabilities: { provides }, lane }: LaneWork): Promise<number | undefined> {
  const row = await sql.get<{ due: number | null }>(
    `select min(not_before) as due from tasks
     where is_held = 1 and status = 'pending' and unfinished_dependencies = 0 and exists (select 1 from jobs
       where jobs.goal_id = tasks.goal_id and type = '${runGoal}' and jobs.status = 'running'
         and lane = ? and requires in (${marks(provides)}))`,
    lane,
    ...provides,
  );
  return row?.due ?? undefined;
}

async function nextJobAt(sql: Sql, { capabilities, lane }: LaneWork, clock: Clock): Promise<number | undefined> {
  const runnable = runnableBy(capabilities);
  const row = await sql.get<{ due: number | null }>(
    `select min(${dueAt}) as due from jobs where status = 'pending' and unfinished_dependencies = 0
       and lane = ? and ${runnable.text} and not ${isTaskCancelled}`,
    ...dueValues(clock),
    lane,
    ...runnable.values,
  );
  return row?.due ?? undefined;
}

/** SQL: when a job is due, by the wall clock of the caller; takes `dueValues`. */
const dueAt = '(case when run_tick = 0 then 0 when run_boot_id = ? then run_tick + ? else run_at end)';

const dueValues = (clock: Clock): [string, number] => [clock.bootId, bootAt(clock)];

async function readyFor(sql: Sql, { capabilities, lane }: LaneWork, clock: Clock): Promise<Fragment> {
  const runnable = runnableBy(capabilities);
  const full = await fullTypes(sql);
  return {
    text: `status = 'pending' and unfinished_dependencies = 0 and lane = ? and ${dueAt} <= ? and ${runnable.text}
      ${full.length === 0 ? '' : `and type not in (${marks(full)})`} and not ${isTaskCancelled}`,
    values: [lane, ...dueValues(clock), clock.now(), ...runnable.values, ...full],
  };
}

function runnableBy({ types, provides }: Capabilities): Fragment {
  const known = [...types];
  return {
    text: `(type in (${marks(known)}) or requires like '${modulePrefix}%')
      and (requires is null or requires in (${marks(provides)}))`,
    values: [...known, ...provides],
  };
}

/** Types at their concurrency limit over all processes. The smallest limit among the running jobs of a type counts. */
async function fullTypes(sql: Sql): Promise<string[]> {
  const rows = await sql.all<{ type: string }>(
    "select type from jobs where status = 'running' group by type having count(*) >= min(concurrency)",
  );
  return rows.map((row) => row.type);
}

/** The list inside `in (...)`: `?, ?, ?`, or `null` for an empty list, which matches nothing. */
function marks(values: readonly string[]): string {
  return values.length === 0 ? 'null' : values.map(() => '?').join(', ');
}
