import type { Clock, EpochMs } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import { insertRow } from '../../store/insert-row.js';
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

/** SQL condition: the runner is live. Worded exactly as in the partial index, so that the index is used. */
export const isLive = "state in ('starting', 'running', 'waiting')";

/** For a job that is due later than this, no process waits; a session that is alive then starts a runner. */
const longestWaitMs = 3_600_000;

/**
 * Permits one more runner if fewer than the limit work, over all processes, and a job is ready that no free runner will
 * take, or one is due soon that no runner waits for. Resolves to the id to start it under, or to undefined.
 */
export async function permitRunner(
  sql: Sql,
  limits: RunnerLimits,
  actor: Actor,
  clock: Clock,
): Promise<string | undefined> {
  if (!(await isRunnerWanted(sql, limits, clock))) return undefined;
  const id = newShortId();
  await insertRow(sql, 'runners', {
    id,
    ability: capabilityHash(limits.capabilities),
    state: 'starting',
    started_by: actor.holder,
    created_at: clock.now(),
    created_tick: clock.tick(),
    created_boot_id: clock.bootId,
  });
  return id;
}

/** Whether `permitRunner` would give a permit now. */
export async function isRunnerWanted(
  sql: Sql,
  { maxRunning, capabilities }: RunnerLimits,
  clock: Clock,
): Promise<boolean> {
  if ((await countAtWork(sql)) >= maxRunning) return false;
  const free = await countFree(sql, capabilities);
  if ((await countReady(sql, capabilities, clock, maxRunning + 1)) > free) return true;
  return free === 0 && (await isDueSoon(sql, capabilities, clock));
}

async function countAtWork(sql: Sql): Promise<number> {
  const row = await sql.get<{ count: number }>(
    `select count(*) as count from runners where ${isLive} and state <> 'waiting'`,
  );
  return row?.count ?? 0;
}

async function countFree(sql: Sql, capabilities: Capabilities, except = ''): Promise<number> {
  const row = await sql.get<{ count: number }>(
    `select count(*) as count from runners where ${isLive} and state <> 'running' and ability = ? and id <> ?`,
    capabilityHash(capabilities),
    except,
  );
  return row?.count ?? 0;
}

async function isDueSoon(sql: Sql, capabilities: Capabilities, clock: Clock): Promise<boolean> {
  const due = await nextDueAt(sql, capabilities, clock);
  return due !== undefined && due - clock.now() <= longestWaitMs;
}

/** A new runner's first step: writes which process it is. Resolves to false when its permit is gone; it must exit then. */
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

export type NextStep = { do: 'run'; job: JobRow } | { do: 'wait'; until: EpochMs } | { do: 'leave' };

/**
 * Decides what a free runner does next, in one transaction with its own state: a job submitted at the same instant is
 * either claimed here, or its submitter sees that this runner has left.
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
  const until = await nextDueAt(sql, capabilities, clock);
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

/** Signs a runner off. One that could not write the outcome of its job stays, for a rescue to find. */
export async function leave(sql: Sql, id: string, at: EpochMs): Promise<void> {
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

/** Records a heartbeat. Resolves to the state of the attempt, or to undefined when the attempt is not current any more. */
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

/** Marks a runner as lost: it could not be started, or is gone. Resolves to whether it was live until now. */
export async function markLost(sql: Sql, id: string, reason: string, at: EpochMs): Promise<boolean> {
  const changed = await sql.run(`update runners set state = 'lost', ended_at = ? where id = ? and ${isLive}`, at, id);
  if (changed > 0) await recordEvent(sql, { at, subject: 'runner', subjectId: id, type: 'lost', data: { reason } });
  return changed > 0;
}

/** Deletes an ended runner; resolves to the number of rows. The caller makes sure that no job refers to it. */
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
