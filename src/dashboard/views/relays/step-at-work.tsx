import type { WholeJob } from '../../../http/page/jobs.js';
import { usePollInterval } from '../../live.js';
import { Link } from '../../location.js';
import { spanOfJob } from '../../ui/format.js';
import { useNow } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { JobMark, JobProgress } from '../jobs/job-status.js';
import { JobOutput } from '../jobs/output.js';

/** The job that works on a step now: how long, what it does, and its output as it comes. */
export function StepAtWork({ jobId }: { jobId: string }) {
  const { data: job } = useRead<WholeJob>(
    'page/job',
    { job_id: jobId },
    { subjects: ['job'], everyMs: usePollInterval(1_000, true) },
  );
  const now = useNow(1_000);
  if (!job) return null;
  return (
    <div class="attempt at-work">
      <div class="facts">
        <JobMark status={job.status} />
        <Link to={`/jobs/${encodeURIComponent(job.id)}`}>Job</Link>
        <span class="fact">{spanOfJob(job, now)}</span>
        {job.progress_message && <span class="fact">{job.progress_message}</span>}
      </div>
      <JobProgress job={job} />
      <JobOutput key={job.id} job={job} />
    </div>
  );
}
