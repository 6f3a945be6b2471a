import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { JobRow } from './job.js';

/** The pending or running job of a project that has a unique key; the table allows one. */
export function findUnique(sql: Sql, project: string, key: string): Promise<JobRow | undefined> {
  return sql.get<JobRow>(
    "select * from jobs where project = ? and unique_key = ? and status in ('pending', 'running')",
    project,
    key,
  );
}

/** Throws `conflict` when another job has taken the unique key of one that is to run again. */
export async function requireUnique(sql: Sql, { project, unique_key: key }: JobRow): Promise<void> {
  const other = key === null ? undefined : await findUnique(sql, project, key);
  if (!other) return;
  throw new RuntimeError(
    'conflict',
    `Job ${other.id} is ${other.status} and has the same unique key, ${key}.`,
    'Wait for that one, or cancel it first.',
  );
}
