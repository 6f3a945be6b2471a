import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { JobRow, JobStatus } from './job.js';

/** The row of a job's id. Throws `not_found`, saying where ids of another kind belong. */
export async function findJob(sql: Sql, id: string): Promise<JobRow> {
  const row = await sql.get<JobRow>('select * from jobs where id = ?', id);
  if (row) return row;
  throw await unknownJob(sql, id);
}

/** The status of a job's id, without the texts of its row. Throws as `findJob` does. */
export async function findStatus(sql: Sql, id: string): Promise<JobStatus> {
  const row = await sql.get<{ status: JobStatus }>('select status from jobs where id = ?', id);
  if (row) return row.status;
  throw await unknownJob(sql, id);
}

/** How far a job is. */
export interface JobProgress {
  status: JobStatus;
  /** 0 to 1. */
  progress: number | null;
  progressMessage: string | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** How far the job of an id is, for those who look often. Throws as `findJob` does. */
export async function findProgress(sql: Sql, id: string): Promise<JobProgress> {
  const row = await sql.get<JobProgress>(
    `select status, progress, progress_message as "progressMessage", error_code as "errorCode",
       error_message as "errorMessage" from jobs where id = ?`,
    id,
  );
  if (row) return row;
  throw await unknownJob(sql, id);
}

/** Notes that the result of a job has been seen: it is no longer among the unread ones. */
export async function markRead(sql: Sql, id: string, at: EpochMs): Promise<void> {
  await sql.run('update jobs set read_at = ? where id = ? and read_at is null', at, id);
}

async function unknownJob(sql: Sql, id: string): Promise<RuntimeError> {
  const task = /^\d+$/.test(id)
    ? await sql.get<{ id: number }>('select id from tasks where id = ?', Number(id))
    : await sql.get<{ id: number }>('select id from tasks where key = ?', id);
  if (task) {
    return new RuntimeError(
      'not_found',
      `${id} is a task on the board, not a background task.`,
      'Call get_task with it; background tasks have ids like 3f2c9a1e-....',
    );
  }
  return new RuntimeError(
    'not_found',
    `No background task or job has id ${id}.`,
    'Call list_background_tasks or list_jobs to see the ids there are.',
  );
}
