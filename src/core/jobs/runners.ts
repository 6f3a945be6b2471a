import type { Clock } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { recordEvent } from '../events/events.js';
import type { ProcessIdentity } from '../ports.js';
import { type Capabilities, claimJob, countReady, nextDueAt } from './claim-job.js';
import type { JobRow } from './job.js';

export interface RunnerRow {
  id: string;
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
  ended_at: number | null;
}

const isLive = "state in ('starting', 'running', 'waiting')";

/**
 * Takes a permit for one more runner if a job is ready that no runner is on its way to, and fewer than `limit` live,
 * counted over all processes. Resolves to the id to start it under, or to nothing.
 */
export async function permitRunner(
  sql: Sql,
  limit: number,
  capabilities: Capabilities,
  actor: Actor,
  clock: Clock,
): Promise<string | undefined> {
  const count = await sql.get<{ live: number; free: number }>(
    `select count(*) as live, count(*) filter (where state <> 'running') as free from runners where ${isLive}`,
  );
  const { live = 0, free = 0 } = count ?? {};
  if (live >= limit) return undefined;
  if ((await countReady(sql, capabilities, clock.now(), limit + 1)) <= free) return undefined;
  const id = newShortId();
  await sql.run(
    `insert into runners (id, state, started_by, created_at, created_tick, created_boot_id)
     values (?, 'starting', ?, ?, ?, ?)`,
    id,
    actor.holder,
    clock.now(),
    clock.tick(),
    clock.bootId,
  );
  return id;
}

/** The child's first act: it is this process now. False when its permit is gone, and it must leave. */
export async function registerRunner(sql: Sql, id: string, identity: ProcessIdentity, at: number): Promise<boolean> {
  const changed = await sql.run(
    `update runners set state = 'running', host_id = ?, boot_id = ?, pid_namespace = ?, pid = ?, process_started = ?,
       heartbeat_at = ? where id = ? and state = 'starting'`,
    identity.hostId,
    identity.bootId,
    identity.pidNamespace,
    identity.pid,
    identity.startTime,
    at,
    id,
  );
  return changed > 0;
}

export type NextStep = { do: 'run'; job: JobRow } | { do: 'wait'; until: number } | { do: 'leave' };

/** A job due later than this is left to whichever session is alive then, rather than to a process that waits so long. */
const longestWaitMs = 3_600_000;

/**
 * What a free runner does next, decided in one transaction with its own state: a job that is submitted at the same
 * instant is either seen here, or its submitter sees that this runner has left.
 */
export async function nextStep(sql: Sql, id: string, capabilities: Capabilities, clock: Clock): Promise<NextStep> {
  const permit = await sql.get(`select 1 from runners where id = ? and ${isLive}`, id);
  if (!permit) return { do: 'leave' };
  const job = await claimJob(sql, id, capabilities, clock);
  if (job) {
    await setState(sql, id, 'running', clock.now());
    return { do: 'run', job };
  }
  const until = await nextDueAt(sql, capabilities);
  const isWaitedFor = await sql.get("select 1 from runners where state = 'waiting' and id <> ?", id);
  if (until !== undefined && !isWaitedFor && until - clock.now() <= longestWaitMs) {
    await setState(sql, id, 'waiting', clock.now());
    return { do: 'wait', until };
  }
  await leave(sql, id, clock.now());
  return { do: 'leave' };
}

async function setState(sql: Sql, id: string, state: RunnerRow['state'], at: number): Promise<void> {
  await sql.run('update runners set state = ?, heartbeat_at = ? where id = ?', state, at, id);
}

export async function leave(sql: Sql, id: string, at: number): Promise<void> {
  await sql.run(`update runners set state = 'exited', ended_at = ? where id = ? and ${isLive}`, at, id);
}

export interface AttemptState {
  isCancelRequested: boolean;
}

/** Says that the runner lives; resolves to what its attempt should know, or to nothing when it is no longer its own. */
export async function beat(
  sql: Sql,
  id: string,
  attempt: { jobId: string; token: string } | undefined,
  at: number,
): Promise<AttemptState | undefined> {
  await sql.run('update runners set heartbeat_at = ? where id = ?', at, id);
  if (!attempt) return undefined;
  const row = await sql.get<{ cancel_requested_at: number | null }>(
    "select cancel_requested_at from jobs where id = ? and attempt_token = ? and status = 'running'",
    attempt.jobId,
    attempt.token,
  );
  return row && { isCancelRequested: row.cancel_requested_at !== null };
}

/** A runner that could not be started, or is gone. */
export async function markLost(sql: Sql, id: string, reason: string, at: number): Promise<void> {
  const changed = await sql.run(`update runners set state = 'lost', ended_at = ? where id = ? and ${isLive}`, at, id);
  if (changed > 0) await recordEvent(sql, { at, subject: 'runner', subjectId: id, type: 'lost', data: { reason } });
}

export const liveRunners = `select * from runners where ${isLive}`;

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
