import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Actor } from '../core/actor.js';
import { hasEnded, type Job, type JobStatus } from '../core/jobs/job.js';
import type { JobStore, Submitted, SubmittedJob, WorkingJob } from '../core/jobs/job-store.js';
import { createJobReads, type JobReads, type StoredArtifact } from '../core/jobs/read-jobs.js';
import type { RetryOptions } from '../core/jobs/retry-job.js';
import { identityOf, type RunnerRow } from '../core/jobs/runners.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { ProcessIdentity, Spawner } from '../core/ports.js';
import type { Database } from '../store/sql.js';
import { bringArtifacts, findArtifacts, removeOldCopies } from './artifacts.js';
import { forgetBeginnings, hasNeverBegun } from './beginnings.js';
import type { CrashReports } from './crash-report.js';
import { endDescendants } from './descendants.js';
import { logJobEnd } from './job-log.js';
import type { Spool } from './persist-outcome.js';

export interface JobsNeeds {
  /** `db` and `clock` are for the reads. */
  db: Database;
  clock: Clock;
  store: JobStore;
  spawner: Spawner;
  spool: Spool;
  crashReports: CrashReports;
  dataDir: string;
  log: Log;
  /** Nothing is written for one who reads, so a lost runner is left to others. */
  isReadOnly?: boolean;
}

/**
 * Background jobs: the queue that every process shares, together with the processes that drain it. This is what everyone
 * uses; the store below it starts and ends no process.
 */
export interface Jobs extends JobReads {
  /** Sweeps if the process of a runner is gone, and costs next to nothing if none is. Resolves to whether it has swept. */
  notice(actor: Actor): Promise<boolean>;
  /** Stores a job and starts a runner for it where one is needed. Throws as `submitJob` of core/jobs does. */
  submit(job: NewJob, actor: Actor): Promise<Pick<SubmittedJob, 'job' | 'isRepeated'>>;
  /** Stores several jobs, all or none, and starts runners for them. Throws as `submit` does. */
  submitAll(jobs: readonly NewJob[], actor: Actor): Promise<Submitted[]>;
  /** Cancels every open job of a sweep, as `cancel` does; resolves to how many. Throws `not_found`. */
  cancelSweep(sweep: string, actor: Actor): Promise<number>;
  /**
   * Resolves when the job has ended. A running one is asked to end first, and killed with all that it started when it does
   * not answer. One that runs on another host learns of it by its heartbeat, and may still be `running`. A run has ended
   * when its jobs have. Throws as `cancelJob` of core/jobs does.
   */
  cancel(id: string, actor: Actor): Promise<Job>;
  /** The files that a job has saved, after those of another host were copied to this one, as far as it takes them. */
  bringArtifacts(id: string, name?: string): Promise<StoredArtifact[]>;
  /** Removes this host's copies of files of jobs that are gone. */
  removeOldCopies(): Promise<number>;
  /** A sentence on why a job is not at work yet; undefined for one that is, or has ended. Throws `not_found`. */
  why(id: string): Promise<string | undefined>;
  /** Puts an ended job back into the queue and starts a runner where one is needed. Throws as `retryJob` does. */
  retry(id: string, options: RetryOptions, actor: Actor): Promise<Job>;
  /** Starts one more runner of each lane where more jobs are ready than runners have room for. It asks again itself. */
  fill(actor: Actor): Promise<void>;
  /** Recovers the jobs of lost runners, and starts a runner where work is waiting. Any process may, at any time. */
  sweep(actor: Actor): Promise<void>;
}

export function createJobs({ db, clock, store, log, dataDir, isReadOnly = false, ...needs }: JobsNeeds): Jobs {
  const reads = createJobReads(db, clock);
  const place = { db, dataDir };
  const runners = new RunnerProcesses({ store, log, dataDir, ...needs });

  const fill = async (actor: Actor): Promise<void> => {
    for (const runnerId of await store.permitRunners(actor)) await runners.start(runnerId);
  };

  const sweep = async (actor: Actor): Promise<void> => {
    try {
      await runners.rescue();
    } catch (error) {
      log.warn('a lost runner could not be written off yet', { error });
    }
    await fill(actor);
  };

  const notice = async (actor: Actor): Promise<boolean> => {
    if (isReadOnly || !(await store.hasDeadRunner())) return false;
    await sweep(actor);
    return true;
  };

  let noticedAt = Number.NEGATIVE_INFINITY;
  /** Reads a job; once more when it was at work with a runner that turns out to be gone. Polling does not look each time. */
  const fresh =
    <Read>(read: (id: string) => Promise<Read>, statusOf: (found: Read) => JobStatus) =>
    async (id: string): Promise<Read> => {
      const found = await read(id);
      if (statusOf(found) !== 'running' || performance.now() - noticedAt < noticeMs) return found;
      noticedAt = performance.now();
      return (await notice(nobody)) ? read(id) : found;
    };

  return {
    ...reads,
    get: fresh(reads.get, ({ status }) => status),
    status: fresh(reads.status, (status) => status),
    progress: fresh(reads.progress, ({ status }) => status),
    artifacts: (id) => findArtifacts(place, id),
    bringArtifacts: (id, name) =>
      bringArtifacts(place, id, name).catch((error: unknown) => {
        log.warn('files of a job could not be copied to this host', { job_id: id, error });
        return findArtifacts(place, id);
      }),
    removeOldCopies: () => removeOldCopies(place),
    fill,
    notice,
    sweep,
    why: store.why,

    async submit(job, actor) {
      const { runnerId, ...submitted } = await store.submit(job, actor);
      if (!submitted.isRepeated) log.info('job_submitted', { job_id: submitted.job.id, type: job.type });
      await runners.start(runnerId);
      return submitted;
    },

    async submitAll(jobs, actor) {
      const { jobs: submitted, runnerIds } = await store.submitAll(jobs, actor);
      for (const { job, isRepeated } of submitted) {
        if (!isRepeated) log.info('job_submitted', { job_id: job.id, type: job.type });
      }
      for (const runnerId of runnerIds) await runners.start(runnerId);
      return submitted;
    },

    async cancelSweep(sweep, actor) {
      const { cancelled, working } = await store.cancelSweep(sweep, actor);
      await Promise.all(working.map((work) => runners.endWork(work)));
      await fill(actor);
      return cancelled;
    },

    async retry(id, options, actor) {
      const { job, runnerId } = await store.retry(id, options, actor);
      await runners.start(runnerId);
      return job;
    },

    async cancel(id, actor) {
      const isRepeated = (await store.status(id)) === 'cancelled';
      const { job, working } = await store.cancel(id, actor);
      if (working.length === 0) {
        if (!isRepeated) logEnd(log, job);
        return job;
      }
      await Promise.all(working.map((work) => runners.endWork(work)));
      // A runner that ended with its job, or got the signal between two jobs, leaves the rest of the queue to another.
      await fill(actor);
      return store.get(id);
    },
  };
}

/** How often reads of running jobs look whether the runners live. */
const noticeMs = 1_000;
/** A read acts for no session. */
const nobody: Actor = { holder: null, project: '' };

/**
 * How long a cancelled job may take to end before its whole process group is killed: 6 s for its agent, and the time to
 * end the agent's children and to write the outcome.
 */
const cancelGraceMs = 8_000;
const killGraceMs = 2_000;
const pollMs = 50;

/** Starts and ends the processes of the runners in the store. */
class RunnerProcesses {
  readonly #needs: Omit<JobsNeeds, 'db' | 'clock'>;

  constructor(needs: Omit<JobsNeeds, 'db' | 'clock'>) {
    this.#needs = needs;
  }

  /** Starts the runner that has this permit, if there is one. A failure is logged: the next sweep tries again. */
  async start(runnerId: string | undefined): Promise<void> {
    if (!runnerId) return;
    const { store, spawner, log } = this.#needs;
    try {
      await spawner.spawnRunner(runnerId);
    } catch (error) {
      log.error('a runner could not be started', { error });
      const reason = `it could not be started: ${messageOf(error)}`;
      await store.markLost(runnerId, reason).catch((failure: unknown) => log.warn('and is still counted', { failure }));
    }
  }

  /** Finds runners that are gone. Their jobs end or go back into the queue. */
  async rescue(): Promise<void> {
    const { store, spool, crashReports, dataDir, log } = this.#needs;
    const rescued = await store.rescue({
      neverBegan: ({ token }, runnerId) => hasNeverBegun(dataDir, runnerId, token),
      readSpooled: (key, runnerId, isAlone) => spool.read(key) ?? crashReports.read(key, runnerId, isAlone),
      forgetSpooled: spool.forget,
      endRunner: (row) => this.#endRunner(row),
    });
    for (const { runnerId, jobId, reason } of rescued) {
      log.warn('a runner was lost', { runner: runnerId, job_id: jobId, reason });
      if (jobId !== undefined) logEnd(log, await store.get(jobId));
    }
  }

  /** Asks a runner to end the job that it works on, and kills it when it does not. */
  async endWork({ id, lane, runner }: WorkingJob): Promise<void> {
    // A runner of many calls looks for itself several times a second; the signal would reach the programs of all of them.
    if (lane === 'process') this.#needs.spawner.signalRunner(runner, 'SIGTERM');
    if (!(await this.#hasEndedWithin(id, cancelGraceMs))) await this.#killWith(runner, id);
  }

  async #hasEndedWithin(id: string, ms: number): Promise<boolean> {
    for (const giveUpAt = performance.now() + ms; ; await sleep(pollMs)) {
      if (hasEnded(await this.#needs.store.status(id))) return true;
      if (performance.now() > giveUpAt) return false;
    }
  }

  async #killWith(runner: ProcessIdentity, id: string): Promise<void> {
    const { store, spawner } = this.#needs;
    spawner.signalRunner(runner, 'SIGKILL');
    const giveUpAt = performance.now() + killGraceMs;
    do {
      await sleep(pollMs);
      await this.rescue();
    } while (!hasEnded(await store.status(id)) && performance.now() < giveUpAt);
  }

  #endRunner(row: RunnerRow): void {
    const { spawner, crashReports, dataDir } = this.#needs;
    const identity = identityOf(row);
    if (identity) spawner.signalRunner(identity, 'SIGKILL');
    endDescendants(row.id);
    crashReports.forget(row.id);
    forgetBeginnings(dataDir, row.id);
  }
}

function logEnd(log: Log, job: Job): void {
  logJobEnd(log, { ...job, error_code: job.errorCode });
}
