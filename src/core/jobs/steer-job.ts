import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import { recordEvent } from '../events/events.js';
import type { Change } from '../tasks/dependencies.js';
import { findJob } from './find-job.js';
import { dependencyFailed, tellOthers } from './finish-job.js';
import { hasEnded, type JobRow } from './job.js';

/**
 * Cancels a job: a waiting one at once; a running one is marked, and its runner ends it (`row.status` is still
 * `running` then). Throws `conflict` for one that has ended.
 */
export async function cancelJob(sql: Sql, id: string, change: Change): Promise<JobRow> {
  const row = await findJob(sql, id);
  if (row.status === 'cancelled') return row;
  if (hasEnded(row.status)) {
    throw new RuntimeError(
      'conflict',
      `Job ${id} has already ${row.status}.`,
      'Call get_task_result to read what it left.',
    );
  }
  await sql.run('update jobs set cancel_requested_at = ?, updated_at = ? where seq = ?', change.at, change.at, row.seq);
  if (row.status === 'running') {
    await recordEvent(sql, { ...change, subject: 'job', subjectId: id, type: 'cancel_requested' });
    return findJob(sql, id);
  }
  await sql.run(
    "update jobs set status = 'cancelled', error_code = 'cancelled', error_message = ?, completed_at = ? where seq = ?",
    'The job was cancelled before it started.',
    change.at,
    row.seq,
  );
  await recordEvent(sql, { ...change, subject: 'job', subjectId: id, type: 'cancelled' });
  const cancelled = await findJob(sql, id);
  await tellOthers(sql, cancelled, change);
  return cancelled;
}

/** What a retry may change of a job. */
export interface RetryWishes {
  payload?: string | undefined;
  requires?: string | null | undefined;
  requestedModel?: string | undefined;
}

/**
 * Puts a failed, cancelled or dead job back into the queue with fresh tries; jobs that were cancelled because of it
 * come back too. Throws `conflict` for one that is not over or has completed.
 */
export async function retryJob(sql: Sql, id: string, wishes: RetryWishes, change: Change): Promise<JobRow> {
  const row = await findJob(sql, id);
  if (row.status === 'completed' || !hasEnded(row.status)) {
    throw new RuntimeError(
      'conflict',
      `Job ${id} is ${row.status}; only a failed or cancelled one can be retried.`,
      row.status === 'completed' ? 'Submit a new one.' : 'Call wait_for_tasks to wait for it, or cancel_task first.',
    );
  }
  await refuseFailedDependency(sql, row);
  await requeueFresh(sql, row, wishes, change);
  await reviveDependents(sql, row, change);
  return findJob(sql, id);
}

async function refuseFailedDependency(sql: Sql, row: JobRow): Promise<void> {
  const failed = await sql.get<{ id: string }>(
    `select j.id from job_dependencies d join jobs j on j.id = d.depends_on
     where d.job_id = ? and j.status in ('failed', 'cancelled') limit 1`,
    row.id,
  );
  if (!failed) return;
  throw new RuntimeError(
    'conflict',
    `Job ${row.id} waits for job ${failed.id}, which did not complete.`,
    `Call retry_task with ${failed.id}; this one then runs after it by itself.`,
  );
}

async function requeueFresh(sql: Sql, row: JobRow, wishes: RetryWishes, change: Change): Promise<void> {
  await sql.run(
    `update jobs set status = 'pending', payload = ?, requires = ?, requested_model = ?, run_at = ?, tries = 0, crashes = 0,
       is_dead = 0, cancel_requested_at = null, progress = null, progress_message = null, read_at = null, result = null,
       error_code = null, error_message = null, completed_at = null, updated_at = ? where seq = ?`,
    wishes.payload ?? row.payload,
    wishes.requires === undefined ? row.requires : wishes.requires,
    wishes.requestedModel ?? row.requested_model,
    change.at,
    change.at,
    row.seq,
  );
  await recordEvent(sql, { ...change, subject: 'job', subjectId: row.id, type: 'requeued' });
}

async function reviveDependents(sql: Sql, job: JobRow, change: Change): Promise<void> {
  const revived = [job.id];
  for (let id = revived.pop(); id !== undefined; id = revived.pop()) {
    const dependents = await sql.all<JobRow>(
      `select j.* from job_dependencies d join jobs j on j.id = d.job_id
       where d.depends_on = ? and j.status = 'cancelled' and j.error_code = ?`,
      id,
      dependencyFailed,
    );
    for (const dependent of dependents) {
      await requeueFresh(sql, dependent, {}, change);
      revived.push(dependent.id);
    }
  }
}
