import type { Backoff } from '../../base/backoff.js';
import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Processes, ProcessIdentity } from '../ports.js';
import { cancelJob, cancelJobsOfCancelledTasks, hasJobsOfCancelledTasks } from './cancel-job.js';
import { type Capabilities, countReady } from './claim-job.js';
import { type FinishRules, finishAttempt } from './finish-job.js';
import { type Job, type JobRow, toJob } from './job.js';
import type { AttemptKey, JobEffect, JobEnded, Outcome } from './outcome.js';
import { createJobReads } from './read-jobs.js';
import { type Rescued, type RescueNeeds, rescueLostRunners } from './rescue.js';
import { type RetryOptions, retryJob } from './retry-job.js';
import {
  type AttemptState,
  heartbeat,
  identityOf,
  isRunnerWanted,
  leave,
  markLost,
  type NextStep,
  nextStep,
  permitRunner,
  type RunnerRow,
  registerRunner,
} from './runners.js';
import { type NewJob, submitJob } from './submit-job.js';

export interface JobStoreNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
  /** How many runners may work at once, over all processes. Waiting runners do not count. */
  maxRunning: number;
  capabilities: Capabilities;
  /** By job type: what completing a job also does, in the same transaction. */
  effects: ReadonlyMap<string, JobEffect>;
  /** What the end of any job also does, in the same transaction. */
  onEnded?: JobEnded;
  random?: () => number;
}

/** 2 s, 4 s, ... up to 2 min, with full jitter. */
const backoff: Backoff = { baseMs: 2_000, capMs: 120_000 };

export interface SubmittedJob {
  job: Job;
  isRepeated: boolean;
  /** Id of a runner to start for it, permitted in the same transaction. */
  runnerId: string | undefined;
}

/** A job and the process that works on it. */
export interface WorkingJob {
  id: string;
  runner: ProcessIdentity;
}

export type JobStore = ReturnType<typeof createJobStore>;

/**
 * The queue of background jobs as it is stored, shared by every process. It starts and ends no process: `Jobs` of the
 * runner does, and is what everyone else uses.
 */
export function createJobStore(needs: JobStoreNeeds) {
  const { db, clock, processes, maxRunning, capabilities } = needs;
  const limits = { maxRunning, capabilities };
  const { onEnded = async () => {} } = needs;
  const rules: FinishRules = { clock, effects: needs.effects, onEnded, backoff, random: needs.random ?? Math.random };
  const changeBy = (actor: Actor) => ({ at: clock.now(), actor });

  return {
    submit: (job: NewJob, actor: Actor): Promise<SubmittedJob> =>
      db.transaction(async (sql) => {
        const { row, isRepeated } = await submitJob(sql, job, actor, clock);
        const runnerId = await permitRunner(sql, limits, actor, clock);
        return { job: toJob(row), isRepeated, runnerId };
      }),

    /** Permits one more runner if ready jobs need one; resolves to the id to start it under. */
    async permitRunner(actor: Actor): Promise<string | undefined> {
      // The answer is mostly no, so it is looked up without the write lock first.
      if (!(await isRunnerWanted(db, limits, clock))) return undefined;
      return db.transaction((sql) => permitRunner(sql, limits, actor, clock));
    },

    ...createJobReads(db, clock),

    /** `working` names the process to signal if the job was running, or those of its jobs if it is a run. */
    cancel: (id: string, actor: Actor): Promise<{ job: Job; working: WorkingJob[] }> =>
      db.transaction(async (sql) => {
        const row = await cancelJob(sql, id, changeBy(actor), onEnded);
        return { job: toJob(row), working: await findWorking(sql, row) };
      }),

    retry: (id: string, options: RetryOptions, actor: Actor): Promise<{ job: Job; runnerId: string | undefined }> =>
      db.transaction(async (sql) => {
        const row = await retryJob(sql, id, options, changeBy(actor), clock);
        return { job: toJob(row), runnerId: await permitRunner(sql, limits, actor, clock) };
      }),

    registerRunner: (id: string): Promise<boolean> =>
      db.transaction((sql) => registerRunner(sql, id, processes.self(), clock)),
    nextStep: (runnerId: string): Promise<NextStep> => db.transaction((sql) => nextStep(sql, runnerId, limits, clock)),
    /** Whether a waiting runner should ask for its next step now. */
    hasReady: async (): Promise<boolean> => (await countReady(db, capabilities, clock, 1)) > 0,
    heartbeat: (runnerId: string, attempt: AttemptKey | undefined): Promise<AttemptState | undefined> =>
      db.transaction((sql) => heartbeat(sql, runnerId, attempt, clock)),
    leave: (runnerId: string): Promise<void> => db.transaction((sql) => leave(sql, runnerId, clock.now())),
    markLost: (runnerId: string, reason: string): Promise<boolean> =>
      db.transaction((sql) => markLost(sql, runnerId, reason, clock.now())),

    /** Resolves to undefined when the attempt is superseded. Throws `unavailable` when it can be tried again. */
    finish: (attempt: AttemptKey, outcome: Outcome): Promise<JobRow | undefined> =>
      finishAttempt(db, attempt, outcome, rules, clock.now()),

    /** Recovers the jobs of lost runners, and cancels jobs whose board task was cancelled. Any process may, at any time. */
    async rescue(helpers: Pick<RescueNeeds, 'readSpooled' | 'forgetSpooled' | 'endRunner'>): Promise<Rescued[]> {
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
    return runner ? [{ id: row.job_id, runner }] : [];
  });
}
