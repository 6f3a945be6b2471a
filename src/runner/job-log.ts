import type { Log } from '../base/log.js';

/** What a log entry says of a job. */
export interface LoggedJob {
  id: string;
  type: string;
  status: string;
  attempt: number;
  error_code: string | null;
}

/**
 * Logs the status of a job after an attempt: `job_finished`, `job_failed` or `job_cancelled` when it has ended,
 * `job_requeued` when it will be tried again.
 *
 * @param durationMs of the attempt, if there was one
 */
export function logJobEnd(log: Log, job: LoggedJob, durationMs?: number): void {
  const event = events[job.status];
  if (event === undefined) return;
  const { id: job_id, type, attempt, error_code } = job;
  log.info(event, { job_id, type, attempt, duration_ms: durationMs, code: error_code ?? undefined });
}

const events: Record<string, string> = {
  completed: 'job_finished',
  failed: 'job_failed',
  cancelled: 'job_cancelled',
  pending: 'job_requeued',
};
