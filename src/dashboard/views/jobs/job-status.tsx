import type { JobStatus, JobSummary } from '../../../http/page/jobs.js';
import type { TaskState } from '../../../http/page/tasks.js';
import { StateIcon } from '../../ui/state.js';

/** The icon of a status, shared with the states of tasks. */
export const taskStateOf: Record<JobStatus, TaskState> = {
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

/** The statuses in the order of the tabs. */
export const jobStatuses = Object.keys(statusWords) as readonly JobStatus[];

export const isOpen = ({ status }: { status: JobStatus }): boolean => status === 'pending' || status === 'running';

/** The status as icon and word. */
export function JobMark({ status }: { status: JobStatus }) {
  return (
    <span class={`state ${taskStateOf[status]}`}>
      <StateIcon state={taskStateOf[status]} />
      {statusWords[status]}
    </span>
  );
}

/** The progress of a running job, if it reports any. */
export function JobProgress({ job }: { job: JobSummary }) {
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
