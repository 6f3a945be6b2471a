import { StateIcon } from '../../ui/state.js';
import { type JobLine, type JobStatus, signs, statusWords } from './job-line.js';

/** The status in sign and word. */
export function JobMark({ status }: { status: JobStatus }) {
  return (
    <span class={`state ${signs[status]}`}>
      <StateIcon state={signs[status]} />
      {statusWords[status]}
    </span>
  );
}

/** How far a job at work is, where it says so. */
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
