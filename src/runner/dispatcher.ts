import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Actor } from '../core/actor.js';
import { hasEnded, type Job } from '../core/jobs/job.js';
import type { Jobs, WorkingJob } from '../core/jobs/jobs.js';
import type { AttemptKey } from '../core/jobs/outcome.js';
import { identityOf, type RunnerRow } from '../core/jobs/runners.js';
import type { RetryWishes } from '../core/jobs/steer-job.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { ProcessIdentity, Spawner } from '../core/ports.js';
import { endDescendants } from './descendants.js';
import { logJobEnd } from './job-log.js';
import type { LastWords } from './last-words.js';
import type { Spool } from './spool.js';

export interface DispatcherNeeds {
  jobs: Jobs;
  spawner: Spawner;
  spool: Spool;
  lastWords: LastWords;
  log: Log;
}

export type Dispatcher = ReturnType<typeof createDispatcher>;

/**
 * How long a cancelled job may take to end before its whole process group is killed: the 5 s that the runner grants its
 * agent, and what it needs to end the agent's children and to write the outcome.
 */
const cancelGraceMs = 8_000;
const pollMs = 50;

/** The queue and the processes that drain it, together: what a session uses to have work done in the background. */
export function createDispatcher({ jobs, spawner, spool, lastWords, log }: DispatcherNeeds) {
  async function start(runnerId: string | undefined): Promise<void> {
    if (!runnerId) return;
    try {
      await spawner.spawnRunner(runnerId);
    } catch (error) {
      // The job is stored, and the next sweep tries again.
      log.error('a runner could not be started', { error });
      const reason = `it could not be started: ${messageOf(error)}`;
      await jobs.markLost(runnerId, reason).catch((failure: unknown) => log.warn('and is still counted', { failure }));
    }
  }

  /** Starts one more runner if more jobs are ready than runners are free; that one looks again when it takes a job. */
  const fill = async (actor: Actor): Promise<void> => start(await jobs.permitRunner(actor));

  async function rescue(): Promise<void> {
    const helpers = {
      readSpooled: (key: AttemptKey, runnerId: string) => spool.read(key) ?? lastWords.read(runnerId),
      forgetSpooled: spool.forget,
      endRunner: end,
    };
    for (const { runnerId, jobId, reason } of await jobs.rescue(helpers)) {
      log.warn('a runner was lost', { runner: runnerId, job_id: jobId, reason });
      if (jobId !== undefined) logEnd(await jobs.get(jobId));
    }
  }

  function logEnd(job: Job): void {
    logJobEnd(log, { ...job, error_code: job.errorCode });
  }

  function end(row: RunnerRow): void {
    const identity = identityOf(row);
    if (identity) spawner.signalRunner(identity, 'SIGKILL');
    endDescendants(row.id);
    lastWords.forget(row.id);
  }

  return {
    fill,

    async submit(job: NewJob, actor: Actor): Promise<{ job: Job; isRepeated: boolean }> {
      const { runnerId, ...submitted } = await jobs.submit(job, actor);
      if (!submitted.isRepeated) log.info('job_submitted', { job_id: submitted.job.id, type: job.type });
      await start(runnerId);
      return submitted;
    },

    async retry(id: string, wishes: RetryWishes, actor: Actor): Promise<Job> {
      const { job, runnerId } = await jobs.retry(id, wishes, actor);
      await start(runnerId);
      return job;
    },

    /**
     * Resolves when the job has ended: a running one is asked first, and killed with all it started when it does not
     * answer. One that runs on another host learns of it by its heartbeat, and may still be `running`. A run has ended
     * when its jobs have.
     */
    cancel,

    /** Finds lost runners and starts one where work is waiting; any process may, at any time. */
    async sweep(actor: Actor): Promise<void> {
      try {
        await rescue();
      } catch (error) {
        log.warn('a lost runner could not be written off yet', { error });
      }
      await fill(actor);
    },
  };

  async function cancel(id: string, actor: Actor): Promise<Job> {
    const isRepeated = (await jobs.status(id)) === 'cancelled';
    const { job, working } = await jobs.cancel(id, actor);
    if (working.length === 0) {
      if (!isRepeated) logEnd(job);
      return job;
    }
    await Promise.all(working.map(endWork));
    // A runner that ended with the job, or was between two jobs when the signal came, leaves the queue behind.
    await fill(actor);
    return jobs.get(id);
  }

  async function endWork({ id, runner }: WorkingJob): Promise<void> {
    spawner.signalRunner(runner, 'SIGTERM');
    if (!(await hasEndedWithin(id, cancelGraceMs))) await killWith(runner, id);
  }

  async function hasEndedWithin(id: string, ms: number): Promise<boolean> {
    for (const giveUpAt = performance.now() + ms; ; await sleep(pollMs)) {
      if (hasEnded(await jobs.status(id))) return true;
      if (performance.now() > giveUpAt) return false;
    }
  }

  async function killWith(runner: ProcessIdentity, id: string): Promise<void> {
    spawner.signalRunner(runner, 'SIGKILL');
    const giveUpAt = performance.now() + 2_000;
    do {
      await sleep(pollMs);
      await rescue();
    } while (!hasEnded(await jobs.status(id)) && performance.now() < giveUpAt);
  }
}
