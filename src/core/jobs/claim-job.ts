import { createHash } from 'node:crypto';
import { bootAt, type Clock, type EpochMs } from '../../base/clock.js';
import { newToken } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import { type NewEvent, recordEvents } from '../events/events.js';
import { leaseFor } from '../lease.js';
import type { RateLimit } from '../rates/rates.js';
import { wasPostponed } from './attempts.js';
import { isTaskCancelled } from './board-task.js';
import { type JobRow, runGoal } from './job.js';
import { type Lane, modulePrefix } from './lane.js';
import { type Limited, Occupancy } from './occupancy.js';
import { Rates } from './rates.js';

/** What a runner, or the server that starts it, can run. */
export interface Capabilities {
  /** The job types that are known here. A job may also require one of `provides`. */
  types: ReadonlySet<string>;
  /** Whether jobs of the user's own modules, too, must be of these types. */
  isOfTypesAlone?: boolean;
  /** The providers, commands and modules that are configured here. */
  provides: readonly string[];
  /** What a worker was told that it has, such as gpu. */
  labels?: readonly string[];
  /** How often providers may be called, by the config file. */
  rates?: Readonly<Record<string, RateLimit>>;
}

/** The jobs of one lane that a process of this configuration can run. */
export interface LaneWork {
  lane: Lane;
  capabilities: Capabilities;
}

/** A hash that is equal for processes that can run the same jobs: sessions may be configured with different keys. */
export function capabilityHash({ types, provides, isOfTypesAlone, labels = [] }: Capabilities): string {
  const restrictions = isOfTypesAlone || labels.length > 0 ? [[isOfTypesAlone, [...labels].sort()]] : [];
  const all = JSON.stringify([[...types.keys()].sort(), [...provides].sort(), ...restrictions]);
  return createHash('sha256').update(all).digest('hex').slice(0, 8);
}

/**
 * A runner that does not answer is killed this long after the timeout of its attempt. That is enough for the agent to
 * stop, for the last progress, and for saving the outcome to a file when the database cannot be written.
 */
const timeoutGraceMs = 30_000;

/** Claims the next jobs of a lane, `most` at the most, in the order of the queue. */
export async function claimJobs(
  sql: Sql,
  runnerId: string,
  work: LaneWork,
  most: number,
  clock: Clock,
): Promise<JobRow[]> {
  const next = await pickReady(sql, work, clock, most);
  return next.length === 0 ? [] : startAttempts(sql, runnerId, next, clock);
}

type ReadyJob = Limited & Pick<JobRow, 'seq' | 'requires'>;

/** The jobs of a lane, `most` at the most, that could start now beside one another. Behind one that may not, others may. */
async function pickReady(sql: Sql, work: LaneWork, clock: Clock, most: number): Promise<number[]> {
  if (most <= 0) return [];
  const [occupancy, rates] = await Promise.all([Occupancy.read(sql), Rates.read(sql, clock, work.capabilities.rates)]);
  const picked: number[] = [];
  for (;;) {
    const ready = readyFor(work, clock, [occupancy.mayStart, rates.mayStart]);
    const isOther = picked.length === 0 ? '' : `and seq not in (${marks(picked)})`;
    const found = await sql.all<ReadyJob>(
      `select seq, type, requires, concurrency, concurrency_key, concurrency_limit from jobs where ${ready.text} ${isOther}
       order by queue_at, seq limit ?`,
      ...ready.values,
      ...picked,
      most - picked.length,
    );
    const admitted = found.filter((job) => rates.hasCall(job) && occupancy.admit(job) && rates.admit(job));
    picked.push(...admitted.map(({ seq }) => seq));
    if (admitted.length === found.length || picked.length === most) return picked;
  }
}

async function startAttempts(sql: Sql, runnerId: string, seqs: readonly number[], clock: Clock): Promise<JobRow[]> {
  const now = clock.now();
  const { expiresAt, expiresTick, bootId } = leaseFor(clock, timeoutGraceMs);
  const rows = await sql.all<JobRow>(
    `update jobs set status = 'running', attempt = attempt + 1, tries = tries + 1, runner_id = ?,
       attempt_token = cast(? as text) || '-' || seq, lease_expires_at = cast(? as bigint) + timeout_seconds * 1000,
       lease_expires_tick = cast(? as bigint) + timeout_seconds * 1000, lease_boot_id = ?,
       blocked_by = null, progress = null, progress_message = null, error_code = null, error_message = null,
       started_at = coalesce(started_at, ?), completed_at = null, updated_at = ?
     where seq in (${seqs.map(() => '?').join(', ')}) and status = 'pending'
     returning *, exists (select 1 from breakers where breakers.id = 'job:' || type) as is_guarded`,
    runnerId,
    newToken(),
    expiresAt,
    expiresTick,
    bootId,
    now,
    now,
    ...seqs,
  );
  const places = new Map(seqs.map((seq, place) => [seq, place]));
  const jobs = rows.sort((one, other) => (places.get(one.seq) ?? 0) - (places.get(other.seq) ?? 0));
  await sql.run(
    `insert into job_attempts (job_id, attempt, runner_id, started_at) values ${jobs.map(() => '(?, ?, ?, ?)').join(', ')}`,
    ...jobs.flatMap(({ id, attempt }) => [id, attempt, runnerId, now]),
  );
  const started: NewEvent[] = [];
  for (const job of jobs) {
    const { id, attempt } = job;
    if (attempt > 1) await sql.run('delete from job_chunks where job_id = ?', id);
    if (attempt > 1 && (await wasPostponed(sql, job))) continue;
    started.push({ at: now, subject: 'job', subjectId: id, type: 'started', data: { attempt, runner: runnerId } });
  }
  await recordEvents(sql, started);
  return jobs;
}

/** Counts the jobs of a lane that could start now, up to `limit`. */
export async function countReady(sql: Sql, work: LaneWork, clock: Clock, limit: number): Promise<number> {
  return (await pickReady(sql, work, clock, limit)).length;
}

/** When a runner of the lane next has something to do: a job is due, or a held task of a run, which becomes a job only then. */
export async function nextDueAt(sql: Sql, work: LaneWork, clock: Clock): Promise<EpochMs | undefined> {
  const times = [await nextJobAt(sql, work, clock), await nextHeldTaskAt(sql, work)];
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** When the next schedule is due that this process can fire. A runner of calls does it, as it costs next to nothing. */
export async function nextScheduleAt(
  sql: Sql,
  { capabilities: { provides }, lane }: LaneWork,
): Promise<EpochMs | undefined> {
  if (lane !== 'call') return undefined;
  const row = await sql.get<{ due: number | null }>(
    `select min(next_at) as due from schedules
     where status = 'active' and (requires is null or requires in (${marks(provides)}))`,
    ...provides,
  );
  return row?.due ?? undefined;
}

async function nextHeldTaskAt(sql: Sql, { capabilities: { provides }, lane }: LaneWork): Promise<number | undefined> {
  const runs = await sql.all<{ goal_id: number }>(
    `select goal_id from jobs where type = '${runGoal}' and status = 'running' and lane = ? and requires in (${marks(provides)})`,
    lane,
    ...provides,
  );
  if (runs.length === 0) return undefined;
  // Held tasks are few, and what else is asked of them would lead the planner to the index of all that are pending.
  const row = await sql.get<{ due: number | null }>(
    `select min(case when status = 'pending' and unfinished_dependencies = 0
         and goal_id in (${runs.map(() => '?').join(', ')}) then not_before end) as due
     from tasks where is_held = 1`,
    ...runs.map(({ goal_id }) => goal_id),
  );
  return row?.due ?? undefined;
}

/** Those whose type or key is full need no runner that waits: the one that ends a job of it takes the next. */
async function nextJobAt(sql: Sql, { capabilities, lane }: LaneWork, clock: Clock): Promise<number | undefined> {
  const runnable = runnableBy(capabilities);
  const [{ mayStart }, rates] = await Promise.all([Occupancy.read(sql), Rates.read(sql, clock)]);
  const due = rates.delayed(dueAt, dueValues(clock));
  const row = await sql.get<{ due: number | null }>(
    `select min(${due.text}) as due from jobs where status = 'pending' and unfinished_dependencies = 0
       and lane = ? and ${runnable.text} ${mayStart.text} and not ${isTaskCancelled}`,
    ...due.values,
    lane,
    ...runnable.values,
    ...mayStart.values,
  );
  return row?.due ?? undefined;
}

/** SQL: when a job is due, by the wall clock of the caller; takes `dueValues`. */
const dueAt = '(case when run_tick = 0 then 0 when run_boot_id = ? then run_tick + ? else run_at end)';

const dueValues = (clock: Clock): [string, number] => [clock.bootId, bootAt(clock)];

function readyFor({ capabilities, lane }: LaneWork, clock: Clock, limits: readonly Fragment[]): Fragment {
  const runnable = runnableBy(capabilities);
  const mayStart = limits.map(({ text }) => text).join('');
  return {
    text: `status = 'pending' and unfinished_dependencies = 0 and lane = ? and ${dueAt} <= ? and ${runnable.text}
      ${mayStart} and not ${isTaskCancelled}`,
    values: [lane, ...dueValues(clock), clock.now(), ...runnable.values, ...limits.flatMap(({ values }) => values)],
  };
}

function runnableBy({ types, provides, isOfTypesAlone = false, labels = [] }: Capabilities): Fragment {
  const known = [...types];
  return {
    text: `(type in (${marks(known)}) ${isOfTypesAlone ? '' : `or requires like '${modulePrefix}%'`})
      and (requires is null or requires in (${marks(provides)}))
      and (needs is null or needs in (${marks(labels)}))`,
    values: [...known, ...provides, ...labels],
  };
}

/** The list inside `in (...)`: `?, ?, ?`, or `null` for an empty list, which matches nothing. */
function marks(values: readonly unknown[]): string {
  return values.length === 0 ? 'null' : values.map(() => '?').join(', ');
}
