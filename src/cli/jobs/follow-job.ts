import { setTimeout as sleep } from 'node:timers/promises';
import type { JobProgress } from '../../core/jobs/find-job.js';
import { hasEnded } from '../../core/jobs/job.js';
import type { Caller } from '../tool/with-caller.js';

const lookMs = 100;
const sweepMs = 5_000;

/**
 * Looks at a job until it has ended or the command is interrupted; resolves to how it stands then. Throws `not_found`.
 * The queue is looked after meanwhile, as a session would: no other process may be there to notice a lost runner.
 */
export async function followJob(
  id: string,
  { runtime, actor, signal }: Pick<Caller, 'runtime' | 'actor' | 'signal'>,
  look: (progress: JobProgress) => void | Promise<void>,
): Promise<JobProgress> {
  let sweptAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const progress = await runtime.jobs.progress(id);
    await look(progress);
    if (hasEnded(progress.status) || signal.aborted) return progress;
    if (!runtime.config.isReadOnly && performance.now() - sweptAt >= sweepMs) {
      sweptAt = performance.now();
      await runtime.maintenance.runOnce(undefined, actor);
    }
    await sleep(lookMs, undefined, { signal }).catch(() => {});
  }
}
