import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, type Job } from '../core/jobs/job.js';
import type { Jobs } from '../runner/jobs.js';

export interface WaitNeeds {
  jobs: Pick<Jobs, 'get'>;
  signal: AbortSignal;
  progress(message: string): void;
}

/** Clients drop a call after some 60 s. What takes longer is fetched by its id. */
const longestWaitMs = 45_000;

/** Waits for a job that a call has submitted; resolves to undefined when it takes longer. `doing` is told every 5 s. */
export async function waitForJob(
  id: string,
  doing: string,
  { jobs, signal, progress }: WaitNeeds,
): Promise<Job | undefined> {
  const giveUpAt = performance.now() + longestWaitMs;
  for (let beats = 0; performance.now() < giveUpAt && !signal.aborted; beats++) {
    const job = await jobs.get(id);
    if (hasEnded(job.status)) return job;
    if (beats % 50 === 0) progress(job.status === 'running' ? doing : 'waiting for a runner');
    await sleep(100);
  }
  return undefined;
}
