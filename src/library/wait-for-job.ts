import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from '../core/jobs/job.js';
import type { Job, JobWait } from './jobs.js';

const pollMs = 100;

/** Looks at a job until it has ended. `look` reads it. */
export function waitForJob(look: () => Promise<Job>, signal: AbortSignal | undefined): JobWait {
  const states = () => watch(look, signal);
  return {
    [Symbol.asyncIterator]: states,
    // biome-ignore lint/suspicious/noThenProperty: awaited, it is the final state; nothing is looked at before.
    then: (onEnded, onFailure) => lastOf(states()).then(onEnded, onFailure),
  };
}

async function* watch(look: () => Promise<Job>, signal: AbortSignal | undefined): AsyncGenerator<Job, void> {
  for (let shown = ''; ; await sleep(pollMs)) {
    signal?.throwIfAborted();
    const job = await look();
    const state = JSON.stringify([job.status, job.started_at, job.progress, job.progress_message, job.error]);
    if (state !== shown) yield job;
    if (hasEnded(job.status)) return;
    shown = state;
  }
}

async function lastOf(states: AsyncIterable<Job>): Promise<Job> {
  let last: Job | undefined;
  for await (const state of states) last = state;
  if (!last) throw new Error('A job has at least one state.');
  return last;
}
