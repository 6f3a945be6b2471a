import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { JobRow } from './job.js';

/** The row of a job's id. Throws `not_found`, saying where ids of another kind belong. */
export async function findJob(sql: Sql, id: string): Promise<JobRow> {
  const row = await sql.get<JobRow>('select * from jobs where id = ?', id);
  if (row) return row;
  const task = /^\d+$/.test(id)
    ? await sql.get<{ id: number }>('select id from tasks where id = ?', Number(id))
    : await sql.get<{ id: number }>('select id from tasks where key = ?', id);
  if (task) {
    throw new RuntimeError(
      'not_found',
      `${id} is a task on the board, not a background task.`,
      'Call get_task with it; background tasks have ids like 3f2c9a1e-....',
    );
  }
  throw new RuntimeError(
    'not_found',
    `No background task or job has id ${id}.`,
    'Call list_background_tasks or list_jobs to see the ids there are.',
  );
}
