import type { JobSummary } from '../../../http/page/jobs.js';
import { filter, Link, queryText } from '../../location.js';
import { short, spanOfJob } from '../../ui/format.js';
import { toneClass } from '../../ui/state.js';
import { Time, useNow } from '../../ui/time.js';
import { JobMark, JobProgress } from './job-status.js';

/** Jobs as rows. */
export function JobTable({ jobs, query }: { jobs: readonly JobSummary[]; query: URLSearchParams }) {
  const now = useNow(jobs.some(({ status }) => status === 'running') ? 1_000 : undefined);
  const back = queryText(query);
  return (
    <table class="jobs">
      <thead>
        <tr>
          <Sorted by="status" title="Status" query={query} />
          <Sorted by="type" title="Job" query={query} />
          <Sorted by="model" title="Model" query={query} />
          <Sorted by="tokens" title="Tokens" query={query} isNumber />
          <Sorted by="took" title="Took" query={query} isNumber />
          <Sorted by="submitted" title="Submitted" query={query} />
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
                <span class="unread-dot" title="Neither a session nor a person has read its result">
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

const orders: readonly string[] = ['submitted', 'status', 'type', 'model', 'tokens', 'took'];

/** Whether the list can be sorted by a word of the address; by default what needs attention comes first. */
export const isOrder = (word: string): boolean => orders.includes(word);

interface SortedProps {
  by: string;
  title: string;
  query: URLSearchParams;
  isNumber?: boolean;
}

/** The head of a column: sorts by it, then the other way round, then as at first. */
function Sorted({ by, title, query, isNumber = false }: SortedProps) {
  const isBy = query.get('sort') === by;
  const isAscending = query.has('ascending');
  const next = isBy ? (isAscending ? { sort: '', ascending: '' } : { ascending: '1' }) : { sort: by, ascending: '' };
  return (
    <th class={isNumber ? 'number' : ''} aria-sort={isBy ? (isAscending ? 'ascending' : 'descending') : undefined}>
      <button type="button" class="sort" onClick={() => filter({ ...next, page: '' })}>
        {title}
        {isBy && <span aria-hidden="true">{isAscending ? ' ↑' : ' ↓'}</span>}
      </button>
    </th>
  );
}

function Notes({ job }: { job: JobSummary }) {
  return (
    <span class="notes">
      {job.dead && <span class="badge dead">dead</span>}
      {job.relay_id && job.relay_jobs && job.relay_jobs > 1 && (
        <Link to={`/jobs?relay=${encodeURIComponent(job.relay_id)}`} class="fact">
          all {job.relay_jobs} jobs of the relay
        </Link>
      )}
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
