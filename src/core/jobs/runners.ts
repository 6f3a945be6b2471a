import type { Clock, EpochMs } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import { type Actor, recordedName } from '../actor.js';
import { recordEvent } from '../events/events.js';
import type { ProcessIdentity } from '../ports.js';
import { isTaskCancelled } from './board-task.js';
import {
  type Capabilities,
  capabilityHash,
  claimJobs,
  countReady,
  type LaneWork,
  nextDueAt,
  nextScheduleAt,
} from './claim-job.js';
import type { JobRow } from './job.js';
import type { Lane, LaneLimit } from './lane.js';
import { isWorkerAtWork } from './queue-worker.js';

export interface RunnerRow {
  id: string;
  ability: string;
  state: 'starting' | 'running' | 'waiting' | 'exited' | 'lost';
  lane: Lane;
  /** How many jobs it carries at once; 0 when it takes no more. */
  capacity: number;
  host_id: string | null;
  boot_id: string | null;
  pid_namespace: string | null;
  pid: number | null;
  process_started: string | null;
  started_by: string | null;
  /** The worker that has started it; null for a session's. */
  worker_id: string | null;
  created_at: number;
  created_tick: number;
  created_boot_id: string;
  heartbeat_at: number | null;
  heartbeat_tick: number | null;
  /** Until then, by the ticks of its boot, it needs no other beside it; see `hasEnough`. */
  enough_until_tick: number | null;
  ended_at: number | null;
}

export interface RunnerLimits {
  /** What each lane may have at work, over all processes. */
  lanes: Readonly<Record<Lane, LaneLimit>>;
  capabilities: Capabilities;
  /** The worker whose runners these are. Its limits are its own, beside those of all sessions together. */
  workerId?: string | undefined;
}

/** SQL condition: the runner is live. Worded exactly as in the partial index, so that the index is used. */
export const isLive = "state in ('starting', 'running', 'waiting')";

/** For a job that is due later than this, no process waits; a session that is alive then starts a runner. */
const longestWaitMs = 3_600_000;
/** A schedule is to fire whether a session lives or not: for one of every week a runner stays. */
const longestStayMs = 8 * 86_400_000;

/**
 * Permits one more runner of a lane if the runners at work leave room below the limit, over all processes, and a job is
 * ready that no runner with room will take, or one is due soon that no runner waits for. Resolves to the id to start it
 * under, or to undefined.
 */
export async function permitRunner(
  sql: Sql,
  lane: Lane,
  limits: RunnerLimits,
  actor: Actor,
  clock: Clock,
): Promise<string | undefined> {
  if (!(await isRunnerWanted(sql, lane, limits, clock))) return undefined;
  const id = newShortId();
  await insertRow(sql, 'runners', {
    id,
    ability: capabilityHash(limits.capabilities),
    state: 'starting',
    lane,
    capacity: limits.lanes[lane].perRunner,
    worker_id: limits.workerId ?? null,
    started_by: recordedName(actor),
    created_at: clock.now(),
    created_tick: clock.tick(),
    created_boot_id: clock.bootId,
  });
  return id;
}

/** Whether `permitRunner` would give a permit now. */
export async function isRunnerWanted(
  sql: Sql,
  lane: Lane,
  { lanes, capabilities, workerId }: RunnerLimits,
  clock: Clock,
): Promise<boolean> {
  const { atOnce } = lanes[lane];
  if (workerId !== undefined && !(await isWorkerAtWork(sql, workerId, clock))) return false;
  const { promised, free } = await readRoom(sql, lane, capabilities, { workerId });
  const work: LaneWork = { lane, capabilities };
  if (promised >= atOnce || (await hasEnough(sql, { ...work, workerId }, clock))) return false;
  if (lanes[lane].perRunner > 1 && (await isOneStarting(sql, { ...work, workerId }, clock))) return false;
  if ((await countReady(sql, work, clock, atOnce + 1)) > free) return true;
  return free === 0 && (await nextTimeToWaitFor(sql, work, clock)) !== undefined;
}

/**
 * Whether a turn of a runner of the lane that has room would give it a job. For callers that ask often: a turn takes the
 * write lock, also one that finds the lane full.
 */
export async function hasWork(
  sql: Sql,
  lane: Lane,
  { lanes, capabilities, workerId }: RunnerLimits,
  clock: Clock,
  self?: string,
): Promise<boolean> {
  if ((await countRunning(sql, { lane, worker_id: workerId ?? null })) >= lanes[lane].atOnce) return false;
  if (await hasEnough(sql, { lane, capabilities, workerId }, clock, self)) return false;
  return (await countReady(sql, { lane, capabilities }, clock, 1)) > 0;
}

/** How long a runner that was enough counts as that: some turns of one that goes on, and no time to be missed if it is killed. */
const enoughMs = 500;

/**
 * Whether a runner other than `self` does the jobs that one of these capabilities could take as fast as they can be
 * written. Another beside it would wait for the write lock, and each would find the other's pages changed: two runners of
 * jobs that do nothing are slower than one.
 */
export async function hasEnough(
  sql: Sql,
  { lane, capabilities, workerId }: LaneWork & Pick<RunnerLimits, 'workerId'>,
  clock: Clock,
  self = '',
): Promise<boolean> {
  const found = await sql.get(
    `select 1 from runners where ${isLive} and lane = ? and id <> ? and ability = ? and worker_id is not distinct from ?
       and capacity > 0 and created_boot_id = ? and enough_until_tick > ? limit 1`,
    lane,
    self,
    capabilityHash(capabilities),
    workerId ?? null,
    clock.bootId,
    clock.tick(),
  );
  return found !== undefined;
}

/** A start that takes longer does not keep others from starting: it may never come about. */
const startMs = 1_000;

/**
 * Whether a runner of these capabilities is just starting. Those of many jobs start one after the other: what the first
 * one finds to do shows whether it is enough, and it asks for the next one as soon as it has claimed its jobs.
 */
async function isOneStarting(
  sql: Sql,
  { lane, capabilities, workerId }: LaneWork & Pick<RunnerLimits, 'workerId'>,
  clock: Clock,
): Promise<boolean> {
  const found = await sql.get(
    `select 1 from runners where state = 'starting' and lane = ? and ability = ? and worker_id is not distinct from ?
       and created_boot_id = ? and created_tick > ? limit 1`,
    lane,
    capabilityHash(capabilities),
    workerId ?? null,
    clock.bootId,
    clock.tick() - startMs,
  );
  return found !== undefined;
}

interface Room {
  /** Jobs that the runners at work have or may take: those of another ability count with what they have alone. */
  promised: number;
  /** Jobs that runners of this ability can take beside those they have. Waiting runners are among them. */
  free: number;
}

async function readRoom(
  sql: Sql,
  lane: Lane,
  capabilities: Capabilities,
  { workerId, except = '' }: { workerId?: string | undefined; except?: string },
): Promise<Room> {
  const ability = capabilityHash(capabilities);
  const runners = await sql.all<Pick<RunnerRow, 'ability' | 'state' | 'capacity' | 'worker_id'> & { running: number }>(
    `select ability, state, capacity, worker_id,
       (select count(*) from jobs where jobs.runner_id = runners.id and jobs.status = 'running') as running
     from runners where ${isLive} and lane = ? and id <> ?`,
    lane,
    except,
  );
  const room: Room = { promised: 0, free: 0 };
  for (const { ability: own, state, capacity, running, worker_id } of runners) {
    const isAble = own === ability;
    if (isAble) room.free += Math.max(0, capacity - running);
    if (worker_id === (workerId ?? null) && state !== 'waiting')
      room.promised += Math.max(runningOf(running, capacity), isAble ? capacity : Math.min(1, capacity));
  }
  return room;
}

/** When a runner of the lane that waits has something to do: start a job, or fire a schedule. Undefined: it need not wait. */
async function nextTimeToWaitFor(sql: Sql, work: LaneWork, clock: Clock): Promise<EpochMs | undefined> {
  const waits = [
    { at: await nextDueAt(sql, work, clock), longestMs: longestWaitMs },
    { at: await nextScheduleAt(sql, work), longestMs: longestStayMs },
  ];
  const times = waits.flatMap(({ at, longestMs }) => (at !== undefined && at - clock.now() <= longestMs ? [at] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * A new runner's first step: writes which process it is. Resolves to what it may carry, or to undefined when its permit is
 * gone; it must exit then.
 */
export function registerRunner(
  sql: Sql,
  id: string,
  identity: ProcessIdentity,
  clock: Clock,
): Promise<Pick<RunnerRow, 'lane' | 'capacity'> | undefined> {
  return sql.get(
    `update runners set state = 'running', host_id = ?, boot_id = ?, pid_namespace = ?, pid = ?, process_started = ?,
       heartbeat_at = ?, heartbeat_tick = ? where id = ? and state = 'starting' returning lane, capacity`,
    identity.hostId,
    identity.bootId,
    identity.pidNamespace,
    identity.pid,
    identity.startTime,
    clock.now(),
    clock.tick(),
    id,
  );
}

/** Rest: until no other runner is enough any more. */
export type NextStep =
  | { do: 'run'; jobs: JobRow[] }
  | { do: 'wait'; until: EpochMs }
  | { do: 'rest' }
  | { do: 'leave' };

/** What a runner says when its jobs are short. */
export interface Haste {
  /** How many more it may claim than it can begin now, to begin them as others end; none unless given. */
  spare?: number | undefined;
  /** Whether to write its jobs takes longer than to do them. */
  isEnough?: boolean | undefined;
}

/**
 * Decides what a runner with room does next, in one transaction with its own state: a job submitted at the same instant
 * is either claimed here, or its submitter sees that this runner has left. One that still carries jobs neither waits nor
 * leaves: it is told to run none.
 *
 * @param room how many jobs it can begin now
 */
export async function nextStep(
  sql: Sql,
  id: string,
  { room, spare = 0, isEnough = false }: Haste & { room: number },
  { lanes, capabilities, workerId }: RunnerLimits,
  clock: Clock,
): Promise<NextStep> {
  const self = await sql.get<RunnerRow>(`select * from runners where id = ? and ${isLive}`, id);
  if (!self) return { do: 'leave' };
  const work: LaneWork = { lane: self.lane, capabilities };
  const running = await countRunning(sql, self);
  // What a worker has begun its runners finish, also after its end; they take nothing more then.
  const mayTake = self.worker_id === null || (await isWorkerAtWork(sql, self.worker_id, clock));
  const isSpared = await hasEnough(sql, { ...work, workerId }, clock, id);
  const most = mayTake && !isSpared ? Math.min(room, lanes[self.lane].atOnce - running) : 0;
  const jobs = await claimJobs(sql, id, work, most > 0 && most === room ? most + spare : most, clock);
  if (jobs.length > 0 || (await isCarrying(sql, id))) {
    if (self.state !== 'running') await setState(sql, id, 'running', clock);
    const isNews = isEnough ? jobs.length > 0 : self.enough_until_tick !== null;
    if (isNews) await markEnough(sql, id, isEnough ? clock.tick() + enoughMs : null);
    return { do: 'run', jobs };
  }
  if (isSpared && mayTake) return { do: 'rest' };
  const until = mayTake ? await timeToWaitFor(sql, self, work, clock) : undefined;
  if (until !== undefined) {
    const others = await readRoom(sql, self.lane, capabilities, { except: id });
    if (others.free === 0) {
      await setState(sql, id, 'waiting', clock);
      return { do: 'wait', until };
    }
  }
  await leave(sql, id, clock.now());
  return { do: 'leave' };
}

/** A runner of a worker stays, as the worker does. */
async function timeToWaitFor(
  sql: Sql,
  { worker_id }: RunnerRow,
  work: LaneWork,
  clock: Clock,
): Promise<EpochMs | undefined> {
  const next = await nextTimeToWaitFor(sql, work, clock);
  return next ?? (worker_id === null ? undefined : clock.now() + longestWaitMs);
}

/** The jobs of a lane that the runners of one worker, or of all sessions, carry now. A run of a goal has no runner. */
async function countRunning(sql: Sql, { lane, worker_id }: Pick<RunnerRow, 'lane' | 'worker_id'>): Promise<number> {
  const rows = await sql.all<{ claimed: number; capacity: number }>(
    `select count(*) as claimed, r.capacity from jobs join runners r on r.id = jobs.runner_id
     where jobs.runner_id is not null and jobs.lane = ? and r.worker_id is not distinct from ?
     group by r.id, r.capacity`,
    lane,
    worker_id,
  );
  return rows.reduce((sum, { claimed, capacity }) => sum + runningOf(claimed, capacity), 0);
}

/** How many of the jobs that a runner has claimed can run: what it holds beside them waits for its turn. */
function runningOf(claimed: number, capacity: number): number {
  return capacity > 0 ? Math.min(claimed, capacity) : claimed;
}

async function isCarrying(sql: Sql, runnerId: string): Promise<boolean> {
  return (
    (await sql.get("select 1 from jobs where runner_id = ? and status = 'running' limit 1", runnerId)) !== undefined
  );
}

/** Gives a runner no more jobs; those it carries go on. */
export async function retireRunner(sql: Sql, id: string): Promise<void> {
  await sql.run('update runners set capacity = 0 where id = ?', id);
}

async function setState(sql: Sql, id: string, state: RunnerRow['state'], clock: Clock): Promise<void> {
  await sql.run('update runners set state = ? where id = ?', state, id);
  await writeHeartbeat(sql, id, clock);
}

async function markEnough(sql: Sql, id: string, untilTick: number | null): Promise<void> {
  await sql.send('update runners set enough_until_tick = ? where id = ?', untilTick, id);
}

/** Records a heartbeat of a runner. */
export async function writeHeartbeat(sql: Sql, id: string, clock: Clock): Promise<void> {
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

/** An attempt that a runner carries, as its row has it. */
export interface CarriedAttempt {
  token: string;
  isCancelRequested: boolean;
}

/** The attempts that are a runner's own now. One of its own that is missing here has been superseded. */
export async function listCarried(sql: Sql, id: string): Promise<CarriedAttempt[]> {
  const rows = await sql.all<{ token: string; isCancelRequested: number }>(
    `select attempt_token as token, (cancel_requested_at is not null or ${isTaskCancelled}) as "isCancelRequested"
     from jobs where runner_id = ? and status = 'running'`,
    id,
  );
  return rows.map(({ token, isCancelRequested }) => ({ token, isCancelRequested: Boolean(isCancelRequested) }));
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
