import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../base/log.js';
import type { JobRow } from '../core/jobs/job.js';
import type { JobStore } from '../core/jobs/job-store.js';
import type { AttemptKey, Outcome } from '../core/jobs/outcome.js';
import type { Spool } from './spool.js';

export interface KeepNeeds {
  jobs: Pick<JobStore, 'finish'>;
  spool: Spool;
  log: Log;
  /** How long to try; 60 s unless a test says otherwise. */
  patienceMs?: number;
}

/**
 * Writes the outcome of an attempt to the database; resolves to the job as it is then, or to nothing when another attempt
 * has superseded this one. While that takes none, the outcome is safe in a file from the first
 * failure on, whatever happens to this process: whoever finds its runner gone takes the file over. Throws when the
 * database stays unusable.
 */
export async function keepOutcome(key: AttemptKey, outcome: Outcome, needs: KeepNeeds): Promise<JobRow | undefined> {
  const { jobs, spool, patienceMs = 60_000 } = needs;
  const giveUpAt = performance.now() + patienceMs;
  let isSpooled = false;
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    try {
      const row = await jobs.finish(key, outcome);
      if (isSpooled) spool.forget(key);
      return row;
    } catch (error) {
      isSpooled ||= putAside(key, outcome, error, needs);
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(pauseMs);
  }
}

function putAside(key: AttemptKey, outcome: Outcome, error: unknown, { spool, log }: KeepNeeds): boolean {
  try {
    const path = spool.put(key, outcome);
    log.warn('the outcome could not be written to the database yet and was put aside', { path, error });
    return true;
  } catch (failure) {
    log.error('the outcome could neither be written to the database nor put aside', { error, failure });
    return false;
  }
}
