import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { countCancelled } from '../metrics/counters.js';
import { settleBoardTask } from './board-task.js';
import type { JobRow } from './job.js';
import type { JobEnded } from './outcome.js';

/** Error code of a job that never ran, because a job that it depends on did not complete. */
export const dependencyFailed = 'dependency_failed';

/** Applies the end of a job to its board task, to the jobs that depend on it, and to the run that made it. */
export async function notifyDependents(sql: Sql, job: JobRow, change: Change, onEnded: JobEnded): Promise<void> {
  await settleBoardTask(sql, job, change);
  if (job.status === 'completed') await releaseDependents(sql, [job.id]);
  else await applyPolicies(sql, job, change, onEnded);
  await onEnded(sql, job, change);
}

/** Those that wait for one of these jobs need not any more; with `policy` only those that have it. */
export async function releaseDependents(
  sql: Sql,
  jobIds: readonly string[],
  policy?: JobRow['on_dependency_failure'],
): Promise<void> {
  const satisfied = await sql.all<{ job_id: string }>(
    `update job_dependencies set is_satisfied = 1 where depends_on in (${jobIds.map(() => '?').join(', ')}) and is_satisfied = 0
     ${policy === undefined ? '' : 'and job_id in (select id from jobs where on_dependency_failure = ?)'} returning job_id`,
    ...jobIds,
    ...(policy === undefined ? [] : [policy]),
  );
  for (const { job_id } of satisfied) {
    await sql.run('update jobs set unfinished_dependencies = unfinished_dependencies - 1 where id = ?', job_id);
  }
}

/**
 * What becomes of the jobs that wait for one that did not complete, each by its own policy: `run` goes on all the same,
 * `block` waits until somebody retries it, `cancel` ends with it, and `skip` too, but those after it go on.
 */
async function applyPolicies(sql: Sql, job: JobRow, change: Change, onEnded: JobEnded): Promise<void> {
  const ended = [job];
  for (let cause = ended.pop(); cause !== undefined; cause = ended.pop()) {
    if (cause.id !== job.id && cause.on_dependency_failure === 'skip') {
      await releaseDependents(sql, [cause.id]);
      continue;
    }
    await releaseDependents(sql, [cause.id], 'run');
    const dependents = await sql.all<JobRow>(
      `update jobs set status = 'cancelled', error_code = ?, error_message = ?, completed_at = ?, updated_at = ?
       where status = 'pending' and on_dependency_failure in ('cancel', 'skip')
         and id in (select job_id from job_dependencies where depends_on = ? and is_satisfied = 0)
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
