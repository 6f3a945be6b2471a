import type { JobSummary } from '../../../http/page/jobs.js';
import { Link, queryText } from '../../location.js';
import { short, spanOfJob } from '../../ui/format.js';
import { toneClass } from '../../ui/state.js';
import { Time, useNow } from '../../ui/time.js';
import { JobMark, JobProgress } from './job-status.js';

/** Jobs as rows, newest first. */
export function JobTable({ jobs, query }: { jobs: readonly JobSummary[]; query: URLSearchParams }) {
  const now = useNow(jobs.some(({ status }) => status === 'running') ? 1_000 : undefined);
  const back = queryText(query);
  return (
    <table class="jobs">
      <thead>
        <tr>
          <th>Status</th>
          <th>Job</th>
          <th>Model</th>
          <th class="number">Tokens</th>
          <th class="number">Took</th>
          <th>Submitted</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id} class={toneClass(job.status)}>
            <td>
              <JobMark status={job.status} />
            </td>
            <td class="job-about">
              <span class="type">{job.type}</span>
              <Link to={`/jobs/${encodeURIComponent(job.id)}${back}`} class="title">
                {job.name}
              </Link>
              {job.unread && (
                <span class="unread-dot" title="Its result has not been fetched by any session yet">
                  <span class="unseen">unread</span>
                </span>
              )}
              <Notes job={job} />
              <JobProgress job={job} />
              {job.error && job.status !== 'completed' && job.error.code !== 'cancelled' && (
                <span class="error-line">{job.error.message}</span>
              )}
            </td>
            <td class="quiet">{job.model ?? job.requested_model ?? ''}</td>
            <td class="number">
              {job.input_tokens + job.output_tokens > 0 ? short(job.input_tokens + job.output_tokens) : ''}
            </td>
            <td class="number">{spanOfJob(job, now)}</td>
            <td class="quiet">
              <Time at={job.created_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Notes({ job }: { job: JobSummary }) {
  return (
    <span class="notes">
      {job.dead && <span class="badge dead">dead</span>}
      {job.cancel_requested && <span class="fact">being cancelled</span>}
      {job.waits_for && <span class="fact">waits for {job.waits_for}</span>}
      {job.next_attempt_at && (
        <span class="fact">
          {job.attempt === 0 ? 'starts' : 'next try'} <Time at={job.next_attempt_at} />
        </span>
      )}
      {job.attempt > 1 && (
        <span class="fact">
          attempt {job.attempt} of {job.max_attempts}
        </span>
      )}
    </span>
  );
}
