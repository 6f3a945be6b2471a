import { useLiveState } from '../../live.js';
import type { TaskState } from '../../task-card.js';
import { StateIcon } from '../../ui/state.js';

export const jobStatuses = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** A job as lists show it; empty fields are left out. Times are ISO 8601. */
export interface JobLine {
  id: string;
  type: string;
  status: JobStatus;
  about: string;
  project?: string;
  model?: string;
  requested_model?: string;
  attempt: number;
  max_attempts: number;
  dead?: boolean;
  unread?: boolean;
  cancel_requested?: boolean;
  /** 0 to 1. */
  progress?: number;
  progress_message?: string;
  waits_for?: number;
  next_attempt_at?: string;
  input_tokens: number;
  output_tokens: number;
  error?: { code: string; message: string };
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
}

export interface Attempt {
  attempt: number;
  outcome: string;
  error_code: string | null;
  error: string | null;
  model: string | null;
  input_tokens: number;
  output_tokens: number;
  started_at: string;
  ended_at: string | null;
}

export interface LogLine {
  id: number;
  at: string;
  level: string;
  message: string;
  fields?: Record<string, unknown>;
}

export interface LinkedJob {
  id: string;
  type: string;
  status: JobStatus;
}

/** A job in full, without its output. */
export interface WholeJob extends JobLine {
  payload?: Record<string, unknown>;
  /** The beginning of a payload too long to show, as JSON. */
  payload_cut?: string;
  payload_chars?: number;
  metadata: Record<string, unknown>;
  priority: number;
  run_at: string;
  timeout_seconds: number;
  token_budget: number | null;
  crashes: number;
  submitted_by: string | null;
  task_id: number | null;
  goal_id: number | null;
  result: unknown;
  warnings: string[];
  depends_on: LinkedJob[];
  dependents: LinkedJob[];
  attempts: Attempt[];
  artifacts: { name: string; path: string; size_bytes: number; sha256: string }[];
  logs: LogLine[];
}

/** The icon of a status, shared with the states of tasks. */
export const signs: Record<JobStatus, TaskState> = {
  pending: 'waiting',
  running: 'in_progress',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

export const statusWords: Record<JobStatus, string> = {
  pending: 'Waiting',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

export const isOpen = ({ status }: { status: JobStatus }): boolean => status === 'pending' || status === 'running';

/** How often to read what grows without a recorded change (progress, output); never while the page is paused. */
export function useBeat(ms: number, isWanted: boolean): number | undefined {
  const isPaused = useLiveState() === 'paused';
  return isWanted && !isPaused ? ms : undefined;
}

/** The status as icon and word. */
export function JobMark({ status }: { status: JobStatus }) {
  return (
    <span class={`state ${signs[status]}`}>
      <StateIcon state={signs[status]} />
      {statusWords[status]}
    </span>
  );
}

/** The progress of a running job, if it reports any. */
export function JobProgress({ job }: { job: JobLine }) {
  if (job.status !== 'running' || job.progress === undefined) return null;
  return (
    <span class="job-progress">
      <progress value={job.progress} max={1} aria-label={`Progress of ${job.about}`} />
      <span class="fact">
        {Math.floor(job.progress * 100)} % {job.progress_message}
      </span>
    </span>
  );
}
