import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../base/log.js';
import type { Actor } from '../core/actor.js';
import { hasEnded, type Job } from '../core/jobs/job.js';
import type { Jobs } from '../core/jobs/jobs.js';
import { identityOf } from '../core/jobs/runners.js';
import type { RetryWishes } from '../core/jobs/steer-job.js';
import type { NewJob } from '../core/jobs/submit-job.js';
import type { ProcessIdentity, Spawner } from '../core/ports.js';
import type { Spool } from './spool.js';

export interface DispatcherNeeds {
  jobs: Jobs;
  spawner: Spawner;
  spool: Spool;
  log: Log;
}

export type Dispatcher = ReturnType<typeof createDispatcher>;

/** How long a cancelled job may take to end before its whole process group is killed. */
const cancelGraceMs = 5_000;
const pollMs = 50;

/** The queue and the processes that drain it, together: what a session uses to have work done in the background. */
export function createDispatcher({ jobs, spawner, spool, log }: DispatcherNeeds) {
  async function start(runnerId: string | undefined): Promise<void> {
    if (!runnerId) return;
    try {
      await spawner.spawnRunner(runnerId);
    } catch (error) {
      // The job is stored, and the next sweep tries again.
      log.error('a runner could not be started', { error });
      await jobs.markLost(runnerId, `it could not be started: ${error instanceof Error ? error.message : error}`);
    }
  }

  const rescue = () =>
    jobs.rescue({
      takeSpooled: spool.take,
      async endRunner(row) {
        const identity = identityOf(row);
        if (identity) spawner.signalRunner(identity, 'SIGKILL');
      },
    });

  return {
    async submit(job: NewJob, actor: Actor): Promise<{ job: Job; isRepeated: boolean }> {
      const { runnerId, ...submitted } = await jobs.submit(job, actor);
      await start(runnerId);
      return submitted;
    },

    async retry(id: string, wishes: RetryWishes, actor: Actor): Promise<Job> {
      const { job, runnerId } = await jobs.retry(id, wishes, actor);
      await start(runnerId);
      return job;
    },

    /** Resolves when the job has ended: a running one is asked first, and killed with all it started after 5 s. */
    async cancel(id: string, actor: Actor): Promise<Job> {
      const { job, runner } = await jobs.cancel(id, actor);
      if (!runner) return job;
      spawner.signalRunner(runner, 'SIGTERM');
      const ended = await waitForEnd(id, cancelGraceMs);
      if (ended) return ended;
      const killed = await killWith(runner, id);
      // The killed runner was to drain the rest of the queue too.
      await start(await jobs.permitRunner(actor));
      return killed;
    },

    /** Finds lost runners and starts one where work is waiting; any session may, at any time. */
    async sweep(actor: Actor): Promise<void> {
      for (const { runnerId, jobId, reason } of await rescue()) {
        log.warn('a runner was lost', { runner: runnerId, job_id: jobId, reason });
      }
      await start(await jobs.permitRunner(actor));
    },
  };

  async function waitForEnd(id: string, ms: number): Promise<Job | undefined> {
    const giveUpAt = performance.now() + ms;
    while (performance.now() < giveUpAt) {
      const job = await jobs.get(id);
      if (hasEnded(job.status)) return job;
      await sleep(pollMs);
    }
    return undefined;
  }

  async function killWith(runner: ProcessIdentity, id: string): Promise<Job> {
    spawner.signalRunner(runner, 'SIGKILL');
    const giveUpAt = performance.now() + 1_000;
    do {
      await sleep(pollMs);
      await rescue();
      const job = await jobs.get(id);
      if (hasEnded(job.status)) return job;
    } while (performance.now() < giveUpAt);
    return jobs.get(id);
  }
}
