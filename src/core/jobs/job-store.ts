import type { Backoff } from '../../base/backoff.js';
import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Processes, ProcessIdentity } from '../ports.js';
import { addWarning } from './attempts.js';
import { cancelJob, cancelJobsOfCancelledTasks, hasJobsOfCancelledTasks, openJobsOfSweep } from './cancel-job.js';
import type { Capabilities } from './claim-job.js';
import { type EndedAttempt, type FinishRules, finishAttempts } from './finish-job.js';
import { type Job, type JobRow, toJob } from './job.js';
import { type Lane, type LaneLimit, lanes } from './lane.js';
import type { JobEffect, JobEnded } from './outcome.js';
import { createJobReads } from './read-jobs.js';
import { hasDeadRunner, type Rescued, type RescueNeeds, rescueLostRunners } from './rescue.js';
import { type RetryOptions, retryJob } from './retry-job.js';
import {
  type CarriedAttempt,
  type Haste,
  hasEnough,
  hasWork,
  identityOf,
  isRunnerWanted,
  leave,
  listCarried,
  markLost,
  type NextStep,
  nextStep,
  permitRunner,
  type RunnerRow,
  registerRunner,
  retireRunner,
  writeHeartbeat,
} from './runners.js';
import { type NewJob, submitJob } from './submit-job.js';
import { whyPending } from './why-pending.js';

export interface JobStoreNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
  /** What each lane may have at work, over all processes. Waiting runners do not count. */
  lanes: Readonly<Record<Lane, LaneLimit>>;
  capabilities: Capabilities;
  /** The worker whose runners are started here; absent in a session. */
  workerId?: string | undefined;
  /** By job type: what completing a job also does, in the same transaction. */
  effects: ReadonlyMap<string, JobEffect>;
  /** What the end of any job also does, in the same transaction. */
  onEnded?: JobEnded;
  random?: () => number;
}

/** 2 s, 4 s, ... up to 2 min, with full jitter. */
const backoff: Backoff = { baseMs: 2_000, capMs: 120_000 };

export interface Submitted {
  job: Job;
  isRepeated: boolean;
}

export interface SubmittedJob extends Submitted {
  /** Id of a runner to start for it, permitted in the same transaction. */
  runnerId: string | undefined;
}

/** A job and the process that works on it, which may work on others of its lane too. */
export interface WorkingJob {
  id: string;
  lane: Lane;
  runner: ProcessIdentity;
}

/** What has come of a runner's turn. */
export interface Turn {
  /** The jobs whose attempts had ended, as stored; undefined for those that another attempt has superseded. */
  ended: (JobRow | undefined)[];
  next: NextStep;
  /** How long others could not write meanwhile. */
  lockedMs: number;
}

export type JobStore = ReturnType<typeof createJobStore>;

/**
 * The queue of background jobs as it is stored, shared by every process. It starts and ends no process: `Jobs` of the
 * runner does, and is what everyone else uses.
 */
export function createJobStore(needs: JobStoreNeeds) {
  const { db, clock, processes, capabilities } = needs;
  const limits = { lanes: needs.lanes, capabilities, workerId: needs.workerId };
  const { onEnded = async () => {} } = needs;
  const rules: FinishRules = { clock, effects: needs.effects, onEnded, backoff, random: needs.random ?? Math.random };
  const changeBy = (actor: Actor) => ({ at: clock.now(), actor });

  return {
    submit: (job: NewJob, actor: Actor): Promise<SubmittedJob> =>
      db.transaction(async (sql) => {
        const { row, isRepeated } = await submitJob(sql, job, actor, clock);
        const runnerId = await permitRunner(sql, row.lane, limits, actor, clock);
        return { job: toJob(row), isRepeated, runnerId };
      }),

    /** All or none, in one transaction; `runnerIds` are of the runners to start for them. */
    submitAll: (jobs: readonly NewJob[], actor: Actor): Promise<{ jobs: Submitted[]; runnerIds: string[] }> =>
      db.transaction(async (sql) => {
        const submitted: Submitted[] = [];
        const runnerIds: string[] = [];
        const filled = new Set<Lane>();
        for (const job of jobs) {
          const { row, isRepeated } = await submitJob(sql, job, actor, clock);
          submitted.push({ job: toJob(row), isRepeated });
          filled.add(row.lane);
        }
        for (const lane of filled) {
          for (let more = true; more; ) {
            const runnerId = await permitRunner(sql, lane, limits, actor, clock);
            if (runnerId === undefined) more = false;
            else runnerIds.push(runnerId);
          }
        }
        return { jobs: submitted, runnerIds };
      }),

    /** Permits one more runner of each lane whose ready jobs need one; resolves to the ids to start them under. */
    async permitRunners(actor: Actor): Promise<string[]> {
      const permits: string[] = [];
      for (const lane of lanes) {
        // The answer is mostly no, so it is looked up without the write lock first.
        if (!(await isRunnerWanted(db, lane, limits, clock))) continue;
        const permit = await db.transaction((sql) => permitRunner(sql, lane, limits, actor, clock));
        if (permit !== undefined) permits.push(permit);
      }
      return permits;
    },

    ...createJobReads(db, clock),

    /** A sentence on why a job is not at work yet; undefined for one that is, or has ended. */
    why: (id: string): Promise<string | undefined> => whyPending(db, id, limits, clock),

    /** `working` names the process to signal if the job was running, or those of its jobs if it is a run. */
    cancel: (id: string, actor: Actor): Promise<{ job: Job; working: WorkingJob[] }> =>
      db.transaction(async (sql) => {
        const row = await cancelJob(sql, id, changeBy(actor), onEnded);
        return { job: toJob(row), working: await findWorking(sql, row) };
      }),

    /** Cancels every open job of a sweep. Throws `not_found` when there is no such sweep. */
    cancelSweep: (sweep: string, actor: Actor): Promise<{ cancelled: number; working: WorkingJob[] }> =>
      db.transaction(async (sql) => {
        const open = await openJobsOfSweep(sql, sweep);
        const working: WorkingJob[] = [];
        for (const id of open) {
          const row = await cancelJob(sql, id, changeBy(actor), onEnded);
          working.push(...(await findWorking(sql, row)));
        }
        return { cancelled: open.length, working };
      }),

    retry: (id: string, options: RetryOptions, actor: Actor): Promise<{ job: Job; runnerId: string | undefined }> =>
      db.transaction(async (sql) => {
        const row = await retryJob(sql, id, options, changeBy(actor), clock);
        return { job: toJob(row), runnerId: await permitRunner(sql, row.lane, limits, actor, clock) };
      }),

    /** Resolves to how many jobs the runner may carry, and of which lane; to undefined when its permit is gone. */
    registerRunner: (id: string): Promise<Pick<RunnerRow, 'lane' | 'capacity'> | undefined> =>
      db.transaction((sql) => registerRunner(sql, id, processes.self(), clock)),

    /**
     * A turn of a runner, in one transaction: writes the outcomes of attempts that have ended, and claims as many jobs as
     * it has room for, and some more in haste, if there are any. The outcomes are on the disk when this resolves. Throws `unavailable` when it can be
     * tried again.
     */
    async turn(runnerId: string, ended: readonly EndedAttempt[], room: number, haste: Haste = {}): Promise<Turn> {
      // Several write at once on a server: none of them is ever enough there.
      const isEnough = haste.isEnough && db.engine === 'sqlite';
      let begunAt = performance.now();
      const { rows, next } = await finishAttempts(
        db,
        ended,
        rules,
        (sql) => nextStep(sql, runnerId, { ...haste, room, isEnough }, limits, clock),
        () => {
          begunAt = performance.now();
        },
      );
      return { ended: rows, next, lockedMs: performance.now() - begunAt };
    },

    /** Whether a runner of the lane that has room should take a turn now. */
    hasReady: (lane: Lane, runnerId?: string): Promise<boolean> => hasWork(db, lane, limits, clock, runnerId),
    /** Whether another runner leaves this one nothing to do; see `hasEnough`. */
    isSpared: (lane: Lane, runnerId: string): Promise<boolean> => hasEnough(db, { ...limits, lane }, clock, runnerId),
    heartbeat: (runnerId: string): Promise<void> =>
      db.transaction((sql) => writeHeartbeat(sql, runnerId, clock), { beside: true }),
    /** Takes no lock, so that it may be asked often. */
    carried: (runnerId: string): Promise<CarriedAttempt[]> => listCarried(db, runnerId),
    warn: (jobId: string, warning: string): Promise<void> =>
      db.transaction((sql) => addWarning(sql, jobId, warning, clock.now())),
    retire: (runnerId: string): Promise<void> => db.transaction((sql) => retireRunner(sql, runnerId)),
    leave: (runnerId: string): Promise<void> => db.transaction((sql) => leave(sql, runnerId, clock.now())),
    markLost: (runnerId: string, reason: string): Promise<boolean> =>
      db.transaction((sql) => markLost(sql, runnerId, reason, clock.now())),

    /** For callers that ask often: whether `rescue` would find a runner whose process is gone. */
    hasDeadRunner: (): Promise<boolean> => hasDeadRunner({ db, processes }),

    /** Recovers the jobs of lost runners, and cancels jobs whose board task was cancelled. Any process may, at any time. */
    async rescue(
      helpers: Pick<RescueNeeds, 'readSpooled' | 'neverBegan' | 'forgetSpooled' | 'endRunner'>,
    ): Promise<Rescued[]> {
      const rescued = await rescueLostRunners({ db, clock, processes, rules, ...helpers });
      if (await hasJobsOfCancelledTasks(db))
        await db.transaction((sql) => cancelJobsOfCancelledTasks(sql, { at: clock.now() }, onEnded));
      return rescued;
    },
  };
}

/** The running processes of a job and of the jobs that it has made. */
async function findWorking(sql: Sql, { id }: JobRow): Promise<WorkingJob[]> {
  const rows = await sql.all<RunnerRow & { job_id: string }>(
    `select r.*, j.id as job_id from jobs j join runners r on r.id = j.runner_id
     where (j.id = ? or j.parent_id = ?) and j.status = 'running'`,
    id,
    id,
  );
  return rows.flatMap((row) => {
    const runner = identityOf(row);
    return runner ? [{ id: row.job_id, lane: row.lane, runner }] : [];
  });
}
