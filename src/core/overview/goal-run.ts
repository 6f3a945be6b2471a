import type { EpochMs } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { RunPayload } from '../jobs/goal-run.js';
import { type JobRow, type JobStatus, runGoal } from '../jobs/job.js';

/** The last run of a goal, which may be under way. */
export interface GoalRun extends Pick<RunPayload, 'model' | 'concurrency'> {
  id: string;
  status: JobStatus;
  isPaused: boolean;
  isCancelRequested: boolean;
  /** From 0 to 1. */
  progress: number | null;
  message: string | null;
  startedAt: EpochMs | null;
  completedAt: EpochMs | null;
  error: string | null;
  /** The jobs that it waits for, those at work first. */
  jobs: RunJob[];
}

export interface RunJob {
  id: string;
  status: JobStatus;
  taskId: number;
  title: string;
  startedAt: EpochMs | null;
}

/** More than a run has at once. */
const mostJobs = 20;

export async function readGoalRun(sql: Sql, goalId: number): Promise<GoalRun | undefined> {
  const row = await sql.get<JobRow>(
    `select * from jobs where goal_id = ? and type = '${runGoal}' order by status = 'running' desc, seq desc limit 1`,
    goalId,
  );
  if (!row) return undefined;
  const { model, concurrency, paused = false } = readJson<RunPayload>(row.payload);
  const jobs = await sql.all<RunJob>(
    `select j.id, j.status, j.task_id as "taskId", substr(t.title, 1, 240) as title, j.started_at as "startedAt"
     from jobs j join tasks t on t.id = j.task_id
     where j.parent_id = ? and j.status in ('pending', 'running') order by j.status desc, j.seq limit ?`,
    row.id,
    mostJobs,
  );
  return {
    id: row.id,
    status: row.status,
    model,
    concurrency,
    isPaused: paused,
    isCancelRequested: row.cancel_requested_at !== null,
    progress: row.progress,
    message: row.progress_message,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    error: row.error_message?.slice(0, 2_000) ?? null,
    jobs,
  };
}
