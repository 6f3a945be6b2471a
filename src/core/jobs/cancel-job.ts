import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { countCancelled } from '../metrics/counters.js';
import { isTaskCancelled } from './board-task.js';
import { notifyDependents } from './dependents.js';
import { hasEnded, type JobRow } from './job.js';
import type { JobEnded } from './outcome.js';
import { findJob } from './read-jobs.js';

/**
 * Cancels a job. A pending job ends at once. A running one is marked, and its runner ends it: its status is still
 * `running` in the row returned. A run is marked with all its jobs, and ends with the last of them. Throws `not_found`,
 * and `conflict` for a job that has completed or failed.
 */
export async function cancelJob(sql: Sql, id: string, change: Change, onEnded: JobEnded): Promise<JobRow> {
  const row = await findJob(sql, id);
  if (row.status === 'cancelled') return row;
  if (hasEnded(row.status)) {
    throw new RuntimeError(
      'conflict',
      `Job ${id} has already ${row.status}.`,
      'Call get_task_result to read what it left.',
    );
  }
  if (row.status === 'pending') {
    const when = row.attempt === 0 ? 'before it started' : 'while it waited for its next try';
    return writeCancelled(sql, row, `The job was cancelled ${when}.`, change, onEnded);
  }
  await sql.run('update jobs set cancel_requested_at = ?, updated_at = ? where seq = ?', change.at, change.at, row.seq);
  await recordEvent(sql, { ...change, subject: 'job', subjectId: id, type: 'cancel_requested' });
  if (row.runner_id === null) await cancelRun(sql, row, change, onEnded);
  return findJob(sql, id);
}

/** Cancels the open jobs of a run. A run without open jobs ends at once; otherwise it ends with the last of them. */
async function cancelRun(sql: Sql, run: JobRow, change: Change, onEnded: JobEnded): Promise<void> {
  const open = await sql.all<JobRow>(
    "select * from jobs where parent_id = ? and status in ('pending', 'running')",
    run.id,
  );
  for (const { id } of open) await cancelJob(sql, id, change, onEnded);
  if (open.length === 0) await writeCancelled(sql, run, 'The run was cancelled.', change, onEnded);
}

/** The ids of the jobs of a sweep that have not ended. Throws `not_found` when it has none at all. */
export async function openJobsOfSweep(sql: Sql, sweep: string): Promise<string[]> {
  const jobs = await sql.all<Pick<JobRow, 'id' | 'status'>>(
    'select id, status from jobs where sweep = ? order by seq',
    sweep,
  );
  if (jobs.length === 0) {
    throw new RuntimeError(
      'not_found',
      `There is no sweep ${sweep}.`,
      'submit_jobs returns its id; list_jobs lists jobs.',
    );
  }
  return jobs.filter(({ status }) => !hasEnded(status)).map(({ id }) => id);
}

/** Cancels the pending jobs whose board task was cancelled. Of running ones their runner learns by its heartbeat. */
export async function cancelJobsOfCancelledTasks(sql: Sql, change: Change, onEnded: JobEnded): Promise<void> {
  const rows = await sql.all<JobRow>(`select * from jobs where ${isPendingOfCancelledTask}`);
  for (const row of rows) {
    await writeCancelled(sql, row, `The job was cancelled, because task ${row.task_id} was.`, change, onEnded);
  }
}

export async function hasJobsOfCancelledTasks(sql: Sql): Promise<boolean> {
  return (await sql.get(`select 1 from jobs where ${isPendingOfCancelledTask} limit 1`)) !== undefined;
}

const isPendingOfCancelledTask = `task_id is not null and status = 'pending' and ${isTaskCancelled}`;

/** Ends a job that no runner works on as cancelled, with this message, and notifies what depends on it. */
export async function writeCancelled(
  sql: Sql,
  row: JobRow,
  message: string,
  change: Change,
  onEnded: JobEnded,
): Promise<JobRow> {
  await sql.run(
    `update jobs set status = 'cancelled', cancel_requested_at = ?, error_code = 'cancelled', error_message = ?,
       completed_at = ?, updated_at = ? where seq = ?`,
    change.at,
    message,
    change.at,
    change.at,
    row.seq,
  );
  await recordEvent(sql, { ...change, subject: 'job', subjectId: row.id, type: 'cancelled' });
  await countCancelled(sql, [row.type]);
  const cancelled = await findJob(sql, row.id);
  await notifyDependents(sql, cancelled, change, onEnded);
  return cancelled;
}
