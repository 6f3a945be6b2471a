import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { countCancelled } from '../metrics/job-counters.js';
import { settleBoardTask } from './board-task.js';
import type { JobRow } from './job.js';
import type { JobEnded } from './outcome.js';

/** The code of a job that was never tried because one that it depends on did not complete. */
export const dependencyFailed = 'dependency_failed';

/** What an ended job decides beside itself: its board task, the jobs that wait for it, and the run that made it. */
export async function tellOthers(sql: Sql, job: JobRow, change: Change, onEnded: JobEnded): Promise<void> {
  await settleBoardTask(sql, job, change);
  if (job.status === 'completed') await satisfyDependents(sql, job.id);
  else await cancelDependents(sql, job, change, onEnded);
  await onEnded(sql, job, change);
}

async function satisfyDependents(sql: Sql, jobId: string): Promise<void> {
  await sql.run(
    `update jobs set unfinished_dependencies = unfinished_dependencies - 1
     where id in (select job_id from job_dependencies where depends_on = ? and is_satisfied = 0)`,
    jobId,
  );
  await sql.run('update job_dependencies set is_satisfied = 1 where depends_on = ? and is_satisfied = 0', jobId);
}

async function cancelDependents(sql: Sql, job: JobRow, change: Change, onEnded: JobEnded): Promise<void> {
  const ended = [job];
  for (let cause = ended.pop(); cause !== undefined; cause = ended.pop()) {
    const dependents = await sql.all<JobRow>(
      `update jobs set status = 'cancelled', error_code = ?, error_message = ?, completed_at = ?, updated_at = ?
       where status = 'pending' and id in (select job_id from job_dependencies where depends_on = ? and is_satisfied = 0)
       returning *`,
      dependencyFailed,
      `Not run, because job ${cause.id}, which it depends on, ${cause.status === 'failed' ? 'failed' : 'was cancelled'}.`,
      change.at,
      change.at,
      cause.id,
    );
    await countCancelled(
      sql,
      dependents.map(({ type }) => type),
    );
    for (const dependent of dependents) {
      const data = { because_of: cause.id };
      await recordEvent(sql, { ...change, subject: 'job', subjectId: dependent.id, type: 'cancelled', data });
      await settleBoardTask(sql, dependent, change);
      await onEnded(sql, dependent, change);
      ended.push(dependent);
    }
  }
}
