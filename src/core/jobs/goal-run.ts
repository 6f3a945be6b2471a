import type { Sql } from '../../store/sql.js';
import { type JobRow, runGoal } from './job.js';

/** What a run of a goal was asked to do; stands in its row's payload. */
export interface RunPayload {
  goal_id: number;
  model: string;
  /** How many of its tasks are worked on at once. */
  concurrency: number;
}

/** The run that works on a goal now; the table allows one. */
export function findLiveRun(sql: Sql, goalId: number): Promise<JobRow | undefined> {
  return sql.get<JobRow>(`select * from jobs where goal_id = ? and type = '${runGoal}' and status = 'running'`, goalId);
}

/** How many jobs of a run wait or are worked on. */
export async function countOpenJobs(sql: Sql, runId: string): Promise<number> {
  const row = await sql.get<{ count: number }>(
    "select count(*) as count from jobs where parent_id = ? and status in ('pending', 'running')",
    runId,
  );
  return row?.count ?? 0;
}
