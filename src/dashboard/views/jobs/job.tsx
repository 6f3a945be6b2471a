import { useEffect, useState } from 'preact/hooks';
import type { LinkedJob, WholeJob } from '../../../http/page/jobs.js';
import { useMayWrite, write } from '../../api.js';
import { usePollInterval } from '../../live.js';
import { Link, queryText } from '../../location.js';
import { usePageTitle } from '../../shell/page-title.js';
import { costWords, duration, number, spanOfJob } from '../../ui/format.js';
import { Name } from '../../ui/name.js';
import { Passage } from '../../ui/passage.js';
import { RawJson, Shown } from '../../ui/shown.js';
import { StateIcon } from '../../ui/state.js';
import { Particular, useNow, When } from '../../ui/time.js';
import { useRead } from '../../use-read.js';
import { Artifacts } from './artifacts.js';
import { fieldOf, JobCharts } from './charts.js';
import { JobActions } from './job-actions.js';
import { isOpen, JobMark, JobProgress, statusWords, taskStateOf } from './job-status.js';
import { JobOutput } from './output.js';
import { Attempts, JobResult, Logs } from './records.js';

/** One job in full. */
export function Job({ id, query }: { id: string; query: URLSearchParams }) {
  const [isRunning, setRunning] = useState(false);
  const everyMs = usePollInterval(1_000, isRunning);
  const reading = useRead<WholeJob>('page/job', { job_id: id }, { subjects: ['job', 'runtime'], everyMs });
  const status = reading.data?.status;
  useEffect(() => setRunning(status === 'running'), [status]);
  usePageTitle(reading.data?.name);
  useReadAnswer(reading.data);
  return (
    <>
      <Link to={`/jobs${queryText(query)}`} class="back">
        ← Jobs
      </Link>
      <Shown reading={reading}>{(job) => <Sheet job={job} />}</Shown>
    </>
  );
}

/** Who opens an answer has read it; a failure asks for more than that. The session that waits for it still gets it. */
function useReadAnswer(job: WholeJob | undefined): void {
  const mayWrite = useMayWrite();
  const id = mayWrite && job?.unread && job.status === 'completed' ? job.id : undefined;
  useEffect(() => {
    if (id === undefined) return;
    const timer = setTimeout(() => {
      // Unread it stays if that fails, and is marked at the next look.
      write('page/acknowledge', { kind: 'unread_answer', ids: [id] }).catch(() => {});
    }, glanceMs);
    return () => clearTimeout(timer);
  }, [id]);
}

/** Who goes on so soon has read nothing. */
const glanceMs = 1_000;

function Sheet({ job }: { job: WholeJob }) {
  const [prompt, system] = ['prompt', 'system'].map((key) =>
    job.type === 'llm' ? fieldOf(job.payload, key) : undefined,
  );
  const isPrompt = typeof prompt === 'string';
  const payload = job.payload_cut ?? JSON.stringify(job.payload, null, 2);
  return (
    <article class="sheet job">
      <header class="sheet-head">
        <div class="job-head">
          <h2 class="job-title">{job.name}</h2>
          {job.type !== 'llm' && <p class="job-title quiet">{job.type}</p>}
          <p class="facts">
            <JobMark status={job.status} />
            {job.unread && <span class="badge unread">unread</span>}
            {job.dead && <span class="badge dead">dead</span>}
            {job.cancel_requested && <span class="fact">being cancelled</span>}
          </p>
        </div>
        <JobActions job={job} />
      </header>
      <div class="sheet-body">
        <Particulars job={job} />
        <div class="sheet-text">
          <JobProgress job={job} />
          {job.dead && <p class="note">Its process was lost {job.crashes} times. It does not run again by itself.</p>}
          <WhyEnded job={job} />
          <Passage title="Warnings" text={job.warnings.join('\n')} />
          <JobCharts job={job} />
          <JobOutput key={job.id} job={job} />
          <JobResult job={job} />
          {isPrompt && <Passage title="System prompt" text={typeof system === 'string' ? system : null} />}
          <Passage
            title={isPrompt ? 'Prompt' : 'Payload'}
            text={isPrompt ? prompt : payload}
            kind={isPrompt ? 'markdown' : 'json'}
            name={`job-${job.id}-payload`}
          />
          {job.payload_cut && <p class="quiet">The first 200,000 of {number(job.payload_chars ?? 0)} characters.</p>}
          <Linked title="Waits for" jobs={job.depends_on} />
          <Linked title="Waited for by" jobs={job.dependents} />
          <Artifacts job={job} />
          <Attempts job={job} />
          <Logs entries={job.logs} />
          <RawJson value={job} />
        </div>
      </div>
    </article>
  );
}

function WhyEnded({ job: { status, error } }: { job: WholeJob }) {
  if (!error || status === 'completed') return null;
  if (status === 'cancelled') return <p class="note">{error.message}</p>;
  return <Passage title="Error" text={`${error.code}: ${error.message}`} isBad />;
}

function Particulars({ job }: { job: WholeJob }) {
  const now = useNow(job.status === 'running' ? 1_000 : undefined);
  const used = job.input_tokens + job.output_tokens;
  return (
    <dl class="particulars">
      <Particular name="Type">{job.type}</Particular>
      {(job.model ?? job.requested_model) && (
        <Particular name="Model">
          {job.model ?? job.requested_model}
          {job.model && job.requested_model && job.model !== job.requested_model && (
            <div class="quiet">asked for {job.requested_model}</div>
          )}
        </Particular>
      )}
      {used > 0 && (
        <Particular name="Tokens">
          <span class="number">
            {number(job.input_tokens)} in, {number(job.output_tokens)} out
          </span>
          {job.token_budget !== null && <div class="quiet">of {number(job.token_budget)}</div>}
          <div class="quiet">
            {costWords(job)}
            {job.budget_usd !== undefined && ` of $${job.budget_usd}`}
          </div>
        </Particular>
      )}
      <Particular name="Attempt">
        {job.attempt} of {job.max_attempts}
      </Particular>
      <Particular name="Priority">{job.priority} of 10</Particular>
      {job.waits_for && <Particular name="Waits for">{job.waits_for} other jobs</Particular>}
      <When name={job.attempt === 0 ? 'Starts' : 'Next try'} at={job.next_attempt_at} />
      {spanOfJob(job, now) && <Particular name="Took">{spanOfJob(job, now)}</Particular>}
      {isOpen(job) && <Particular name="Time limit">{duration(job.timeout_seconds * 1000)}</Particular>}
      <When name="Submitted" at={job.created_at} />
      <When name="Started" at={job.started_at} />
      <When name="Ended" at={job.completed_at} />
      {job.task_id !== null && (
        <Particular name="Task">
          <Name of={`task:${job.task_id}`} />
        </Particular>
      )}
      {job.goal_id !== null && (
        <Particular name="Goal">
          <Name of={`goal:${job.goal_id}`} />
        </Particular>
      )}
      {job.relay_id && (
        <Particular name="Relay">
          <Name of={`relay:${job.relay_id}`} />
        </Particular>
      )}
      {job.run_id && (
        <Particular name="Part of">
          <Name of={`job:${job.run_id}`} />
        </Particular>
      )}
      {typeof job.metadata.sweep === 'string' && (
        <Particular name="Sweep">
          <Link to={`/jobs/compare?sweep=${encodeURIComponent(job.metadata.sweep)}`}>Compare</Link>
        </Particular>
      )}
      {job.project && <Particular name="Project">{job.project}</Particular>}
      {job.submitted_by && (
        <Particular name="By">
          <Name of={job.submitted_by} />
        </Particular>
      )}
      <Particular name="Id">
        <code>{job.id}</code>
      </Particular>
    </dl>
  );
}

function Linked({ title, jobs }: { title: string; jobs: readonly LinkedJob[] }) {
  if (jobs.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="neighbours">
        {jobs.map(({ id, type, status }) => (
          <li key={id}>
            <StateIcon state={taskStateOf[status]} />
            <Name of={`job:${id}`} />
            <span class="quiet">
              {type}, {statusWords[status].toLowerCase()}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
