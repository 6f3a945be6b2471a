import type { Backoff } from '../../base/backoff.js';
import type { Clock } from '../../base/clock.js';
import type { Database } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Processes, ProcessIdentity } from '../ports.js';
import type { Capabilities } from './claim-job.js';
import { findJob } from './find-job.js';
import { type AttemptKey, type FinishRules, finishAttempt, type JobEffect, type Outcome } from './finish-job.js';
import { type Job, type JobRow, toJob } from './job.js';
import {
  type Attempt,
  type JobFilter,
  type ListedJob,
  type LogLine,
  listAttempts,
  listJobs,
  listLogs,
  readOutput,
} from './list-jobs.js';
import { type Rescued, type RescueNeeds, rescueLostRunners } from './rescue.js';
import {
  type AttemptState,
  beat,
  identityOf,
  leave,
  markLost,
  type NextStep,
  nextStep,
  permitRunner,
  type RunnerRow,
  registerRunner,
} from './runners.js';
import { cancelJob, type RetryWishes, retryJob } from './steer-job.js';
import { type NewJob, submitJob } from './submit-job.js';

export interface JobsNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
  /** How many runners may live at once, over all processes. */
  maxRunning: number;
  capabilities: Capabilities;
  /** What completing a job of a type also does, in the same transaction. */
  effects: ReadonlyMap<string, JobEffect>;
  random?: () => number;
}

/** 2 s, 4 s, ... up to 2 min, with full jitter. */
const backoff: Backoff = { baseMs: 2_000, capMs: 120_000 };

export interface SubmittedJob {
  job: Job;
  isRepeated: boolean;
  /** A runner to start for it, permitted in the same transaction. */
  runnerId: string | undefined;
}

export type Jobs = ReturnType<typeof createJobs>;

/** The queue of background work that every process shares. */
export function createJobs(needs: JobsNeeds) {
  const { db, clock, processes, maxRunning, capabilities } = needs;
  const rules: FinishRules = { effects: needs.effects, backoff, random: needs.random ?? Math.random };
  const changeBy = (actor: Actor) => ({ at: clock.now(), actor });

  return {
    submit: (job: NewJob, actor: Actor): Promise<SubmittedJob> =>
      db.transaction(async (sql) => {
        const { row, isRepeated } = await submitJob(sql, job, actor, clock);
        const runnerId = await permitRunner(sql, maxRunning, capabilities, actor, clock);
        return { job: toJob(row), isRepeated, runnerId };
      }),

    /** A permit for one more runner if ready jobs need it. */
    permitRunner: (actor: Actor): Promise<string | undefined> =>
      db.transaction((sql) => permitRunner(sql, maxRunning, capabilities, actor, clock)),

    get: async (id: string): Promise<Job> => toJob(await findJob(db, id)),
    list: (filter: JobFilter): Promise<ListedJob[]> => listJobs(db, filter),
    output: (id: string): Promise<string> => readOutput(db, id),
    attempts: (id: string): Promise<Attempt[]> => listAttempts(db, id),
    logs: (id: string, limit: number): Promise<LogLine[]> => listLogs(db, id, limit),

    async dependsOn(id: string): Promise<string[]> {
      const rows = await db.all<{ depends_on: string }>('select depends_on from job_dependencies where job_id = ?', id);
      return rows.map((row) => row.depends_on);
    },

    /** Its result has been seen, and is no longer among the unread. */
    async markRead(id: string): Promise<void> {
      await db.run('update jobs set read_at = ? where id = ? and read_at is null', clock.now(), id);
    },

    /** The process to signal, if the job was running. */
    cancel: (id: string, actor: Actor): Promise<{ job: Job; runner: ProcessIdentity | undefined }> =>
      db.transaction(async (sql) => {
        const row = await cancelJob(sql, id, changeBy(actor));
        return { job: toJob(row), runner: await runnerOf(sql, row) };
      }),

    retry: (id: string, wishes: RetryWishes, actor: Actor): Promise<{ job: Job; runnerId: string | undefined }> =>
      db.transaction(async (sql) => {
        const row = await retryJob(sql, id, wishes, changeBy(actor));
        return { job: toJob(row), runnerId: await permitRunner(sql, maxRunning, capabilities, actor, clock) };
      }),

    registerRunner: (id: string): Promise<boolean> =>
      db.transaction((sql) => registerRunner(sql, id, processes.self(), clock.now())),
    nextStep: (runnerId: string): Promise<NextStep> =>
      db.transaction((sql) => nextStep(sql, runnerId, capabilities, clock)),
    beat: (runnerId: string, attempt: AttemptKey | undefined): Promise<AttemptState | undefined> =>
      db.transaction((sql) => beat(sql, runnerId, attempt, clock.now())),
    leave: (runnerId: string): Promise<void> => db.transaction((sql) => leave(sql, runnerId, clock.now())),
    markLost: (runnerId: string, reason: string): Promise<void> =>
      db.transaction((sql) => markLost(sql, runnerId, reason, clock.now())),

    /** Waits for the disk, because what it writes was paid for. Resolves to nothing when the attempt is superseded. */
    finish: (attempt: AttemptKey, outcome: Outcome): Promise<JobRow | undefined> =>
      db.transaction((sql) => finishAttempt(sql, attempt, outcome, rules, clock.now()), { durable: true }),

    rescue: (helpers: Pick<RescueNeeds, 'takeSpooled' | 'endRunner'>): Promise<Rescued[]> =>
      rescueLostRunners({ db, clock, processes, rules, ...helpers }),
  };
}

async function runnerOf(sql: Pick<Database, 'get'>, row: JobRow): Promise<ProcessIdentity | undefined> {
  if (row.status !== 'running' || row.runner_id === null) return undefined;
  const runner = await sql.get<RunnerRow>('select * from runners where id = ?', row.runner_id);
  return runner && identityOf(runner);
}
