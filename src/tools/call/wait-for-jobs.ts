import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, type Job } from '../../core/jobs/job.js';
import type { ToolContext } from './define-tool.js';

const pollMs = 100;
const progressMs = 5_000;

/** Looks until any or all of the jobs have ended, the time is over, or the caller has gone; reports every 5 s. */
export async function waitForJobs(
  ids: readonly string[],
  mode: 'any' | 'all',
  timeoutMs: number,
  { runtime, signal, progress }: ToolContext,
): Promise<{ isDone: boolean; jobs: Job[] }> {
  const startedAt = performance.now();
  let reportedAt = startedAt;
  for (;;) {
    const statuses = await Promise.all(ids.map((id) => runtime.jobs.status(id)));
    const ended = statuses.filter(hasEnded).length;
    const isDone = mode === 'all' ? ended === ids.length : ended > 0;
    const now = performance.now();
    if (isDone || signal.aborted || now - startedAt >= timeoutMs) {
      return { isDone, jobs: await Promise.all(ids.map((id) => runtime.jobs.get(id))) };
    }
    if (now - reportedAt >= progressMs) {
      reportedAt = now;
      progress(`${ended} of ${ids.length} done`);
    }
    await sleep(Math.min(pollMs, timeoutMs - (now - startedAt)));
  }
}
