import { RuntimeError } from '../base/errors.js';
import type { Actor } from '../core/actor.js';
import { type JobListFilter, readJobIds } from '../core/overview/job-list.js';
import type { Jobs } from '../runner/jobs.js';
import type { Database } from '../store/sql.js';

export interface ChangeNeeds {
  db: Database;
  jobs: Pick<Jobs, 'retry' | 'cancel'>;
}

/** What an action on several jobs has done. */
export interface ChangedJobs {
  changed: number;
  /** Those that could not be changed, each with the reason. */
  refused: { id: string; why: string }[];
  /** There are more than are changed at once. */
  hasMore: boolean;
}

const mostAtOnce = 500;

/** Retries every failed job that a filter finds, dead ones included; of a filter for cancelled ones those. */
export async function retryJobs(filter: JobListFilter, actor: Actor, { db, jobs }: ChangeNeeds): Promise<ChangedJobs> {
  const status = filter.status === 'cancelled' ? ('cancelled' as const) : ('failed' as const);
  const ids = await readJobIds(db, { ...filter, status }, mostAtOnce + 1);
  return changeEach(ids, (id) => jobs.retry(id, {}, actor));
}

/** Cancels every open job that a filter finds: waiting ones first, so that none of them starts meanwhile. */
export async function cancelJobs(filter: JobListFilter, actor: Actor, { db, jobs }: ChangeNeeds): Promise<ChangedJobs> {
  const open = (['pending', 'running'] as const).filter((one) => filter.status === undefined || filter.status === one);
  const ids: string[] = [];
  for (const status of open) ids.push(...(await readJobIds(db, { ...filter, status }, mostAtOnce + 1)));
  return changeEach(ids, (id) => jobs.cancel(id, actor));
}

/** One that is refused does not keep the others from being changed: it may have ended meanwhile. */
async function changeEach(ids: readonly string[], change: (id: string) => Promise<unknown>): Promise<ChangedJobs> {
  const refused: ChangedJobs['refused'] = [];
  const taken = ids.slice(0, mostAtOnce);
  for (const id of taken) {
    try {
      await change(id);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      refused.push({ id, why: error.message });
    }
  }
  return { changed: taken.length - refused.length, refused, hasMore: ids.length > mostAtOnce };
}
