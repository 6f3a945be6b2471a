import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { JobStatus } from '../jobs/job.js';
import type { BatonRow } from './baton.js';

/** The job that works on a baton, unless it has ended. */
export async function findStepJob(
  sql: Sql,
  { job_id }: Pick<BatonRow, 'job_id'>,
): Promise<{ id: string; status: JobStatus; progress: number | null } | undefined> {
  if (job_id === null) return undefined;
  return sql.get("select id, status, progress from jobs where id = ? and status in ('pending', 'running')", job_id);
}

/** Throws `conflict` while a background job works on the baton: its result and a session's would both count. */
export async function refuseWhileAtWork(sql: Sql, baton: BatonRow): Promise<void> {
  const job = await findStepJob(sql, baton);
  if (!job) return;
  throw new RuntimeError(
    'conflict',
    `Step ${baton.step_index} of relay ${baton.pipeline_id} is being worked on by job ${job.id}, which run_relay started.`,
    `Wait for it with wait_for_tasks, or call cancel_task with ${job.id} and go on by hand.`,
  );
}
