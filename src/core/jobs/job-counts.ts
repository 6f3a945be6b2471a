import type { StoredCounts } from '../../store/check-counts.js';
import type { Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';
import type { JobStatus } from './job.js';

/** What the daily check compares. */
export const storedJobCounts: StoredCounts = {
  table: 'job_counts',
  view: 'counted_jobs',
  keys: ['state', 'type', 'project'],
};

/** A job whose result nobody has read is counted under its status, and as unread. */
export type CountedState = JobStatus | 'unread';

/** Which jobs are counted: those of a type, of a project, of a project and of none, or all. */
export interface JobCountScope {
  type?: string | undefined;
  /** Exactly this project; '' for those of none. */
  onlyProject?: string | undefined;
  /** This project, and those of none. */
  project?: string | undefined;
}

/** How many jobs are in each state, read off the stored counts: it costs the same for a million jobs. */
export async function readJobCounts(
  sql: Sql,
  { type, onlyProject, project }: JobCountScope,
): Promise<Record<CountedState, number>> {
  const found = where(is('type = ?', type), is('project = ?', onlyProject), is("project in (?, '')", project));
  const rows = await sql.all<{ state: CountedState; count: number }>(
    `select state, cast(sum(count) as bigint) as count from job_counts ${found.text} group by state`,
    ...found.values,
  );
  const counts = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0, unread: 0 };
  for (const { state, count } of rows) counts[state] = count;
  return counts;
}
