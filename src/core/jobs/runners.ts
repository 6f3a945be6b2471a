import type { Clock } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import type { ProcessIdentity } from '../ports.js';
import { isTaskCancelled } from './board-task.js';
import { type Capabilities, capabilityHash, claimJob, countReady, nextDueAt } from './claim-job.js';
import type { JobRow } from './job.js';
import type { AttemptKey } from './outcome.js';

export interface RunnerRow {
  id: string;
  ability: string;
  state: 'starting' | 'running' | 'waiting' | 'exited' | 'lost';
  host_id: string | null;
  boot_id: string | null;
  pid_namespace: string | null;
  pid: number | null;
  process_started: string | null;
  started_by: string | null;
  created_at: number;
  created_tick: number;
  created_boot_id: string;
  heartbeat_at: number | null;
  heartbeat_tick: number | null;
  ended_at: number | null;
}

export interface RunnerLimits {
  /** How many may run jobs at once, over all processes. */
  maxRunning: number;
  capabilities: Capabilities;
}

/** In the very words of the index over the few that are, among all that ever were. */
export const isLive = "state in ('starting', 'running', 'waiting')";

/** A job due later than this is left to whichever session is alive then, rather than to a process that waits so long. */
const longestWaitMs = 3_600_000;

/**
 * Takes a permit for one more runner if fewer than the limit are at work, counted over all processes, and a job is ready
 * that no free runner will take, or one is due soon that none waits for. Resolves to the id to start it under, or to
 * nothing.
 */
export async function permitRunner(
  sql: Sql,
  limits: RunnerLimits,
  actor: Actor,
  clock: Clock,
): Promise<string | undefined> {
  if (!(await isRunnerWanted(sql, limits, clock.now()))) return undefined;
  const id = newShortId();
  await sql.run(
    `insert into runners (id, ability, state, started_by, created_at, created_tick, created_boot_id)
     values (?, ?, 'starting', ?, ?, ?, ?)`,
    id,
    capabilityHash(limits.capabilities),
    actor.holder,
    clock.now(),
    clock.tick(),
    clock.bootId,
  );
  return id;
}

/** Whether `permitRunner` would give a permit now. */
export async function isRunnerWanted(
  sql: Sql,
  { maxRunning, capabilities }: RunnerLimits,
  now: number,
): Promise<boolean> {
  if ((await countAtWork(sql)) >= maxRunning) return false;
  const free = await countFree(sql, capabilities);
  if ((await countReady(sql, capabilities, now, maxRunning + 1)) > free) return true;
  return free === 0 && (await isDueSoon(sql, capabilities, now));
}

async function countAtWork(sql: Sql): Promise<number> {
  const row = await sql.get<{ count: number }>(
    `select count(*) as count from runners where ${isLive} and state <> 'waiting'`,
  );
  return row?.count ?? 0;
}

async function countFree(sql: Sql, capabilities: Capabilities, besides = ''): Promise<number> {
  const row = await sql.get<{ count: number }>(
    `select count(*) as count from runners where ${isLive} and state <> 'running' and ability = ? and id <> ?`,
    capabilityHash(capabilities),
    besides,
  );
  return row?.count ?? 0;
}

async function isDueSoon(sql: Sql, capabilities: Capabilities, now: number): Promise<boolean> {
  const due = await nextDueAt(sql, capabilities);
  return due !== undefined && due - now <= longestWaitMs;
}

/** The child's first act: it is this process now. False when its permit is gone, and it must leave. */
export async function registerRunner(sql: Sql, id: string, identity: ProcessIdentity, clock: Clock): Promise<boolean> {
  const changed = await sql.run(
    `update runners set state = 'running', host_id = ?, boot_id = ?, pid_namespace = ?, pid = ?, process_started = ?,
       heartbeat_at = ?, heartbeat_tick = ? where id = ? and state = 'starting'`,
    identity.hostId,
    identity.bootId,
    identity.pidNamespace,
    identity.pid,
    identity.startTime,
    clock.now(),
    clock.tick(),
    id,
  );
  return changed > 0;
}

export type NextStep = { do: 'run'; job: JobRow } | { do: 'wait'; until: number } | { do: 'leave' };

/**
 * What a free runner does next, decided in one transaction with its own state: a job that is submitted at the same
 * instant is either seen here, or its submitter sees that this runner has left.
 */
export async function nextStep(
  sql: Sql,
  id: string,
  { maxRunning, capabilities }: RunnerLimits,
  clock: Clock,
): Promise<NextStep> {
  const self = await sql.get<RunnerRow>(`select * from runners where id = ? and ${isLive}`, id);
  if (!self) return { do: 'leave' };
  const hasPermit = self.state === 'running' || (await countAtWork(sql)) < maxRunning;
  const job = hasPermit ? await claimJob(sql, id, capabilities, clock) : undefined;
  if (job) {
    await setState(sql, id, 'running', clock);
    return { do: 'run', job };
  }
  const until = await nextDueAt(sql, capabilities);
  if (until !== undefined && until - clock.now() <= longestWaitMs && (await countFree(sql, capabilities, id)) === 0) {
    await setState(sql, id, 'waiting', clock);
    return { do: 'wait', until };
  }
  await leave(sql, id, clock.now());
  return { do: 'leave' };
}

async function setState(sql: Sql, id: string, state: RunnerRow['state'], clock: Clock): Promise<void> {
  await sql.run('update runners set state = ? where id = ?', state, id);
  await writeHeartbeat(sql, id, clock);
}

async function writeHeartbeat(sql: Sql, id: string, clock: Clock): Promise<void> {
  await sql.run('update runners set heartbeat_at = ?, heartbeat_tick = ? where id = ?', clock.now(), clock.tick(), id);
}

/** Signs off. A runner that could not write what became of its job stays, to be found gone by a rescue. */
export async function leave(sql: Sql, id: string, at: number): Promise<void> {
  await sql.run(
    `update runners set state = 'exited', ended_at = ? where id = ? and ${isLive}
       and not exists (select 1 from jobs where runner_id = runners.id and status = 'running')`,
    at,
    id,
  );
}

export interface AttemptState {
  isCancelRequested: boolean;
}

/** Says that the runner lives; resolves to what its attempt should know, or to nothing when it is no longer its own. */
export async function heartbeat(
  sql: Sql,
  id: string,
  attempt: AttemptKey | undefined,
  clock: Clock,
): Promise<AttemptState | undefined> {
  await writeHeartbeat(sql, id, clock);
  if (!attempt) return undefined;
  const row = await sql.get<{ isCancelRequested: number }>(
    `select cancel_requested_at is not null or ${isTaskCancelled} as "isCancelRequested"
     from jobs where id = ? and attempt_token = ? and status = 'running'`,
    attempt.jobId,
    attempt.token,
  );
  return row && { isCancelRequested: row.isCancelRequested === 1 };
}

/** A runner that could not be started, or is gone; resolves to whether it was counted as live until now. */
export async function markLost(sql: Sql, id: string, reason: string, at: number): Promise<boolean> {
  const changed = await sql.run(`update runners set state = 'lost', ended_at = ? where id = ? and ${isLive}`, at, id);
  if (changed > 0) await recordEvent(sql, { at, subject: 'runner', subjectId: id, type: 'lost', data: { reason } });
  return changed > 0;
}

/** Deletes a runner that has ended; resolves to how many rows that were. The caller checks that no job names it. */
export function deleteEndedRunner(sql: Sql, id: string): Promise<number> {
  return sql.run('delete from runners where id = ? and ended_at is not null', id);
}

export function identityOf(row: RunnerRow): ProcessIdentity | undefined {
  if (row.pid === null) return undefined;
  return {
    hostId: row.host_id ?? '',
    bootId: row.boot_id ?? '',
    pidNamespace: row.pid_namespace ?? '',
    pid: row.pid,
    startTime: row.process_started ?? '',
  };
}
