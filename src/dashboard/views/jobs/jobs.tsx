import { useEffect, useState } from 'preact/hooks';
import type { JobPage } from '../../../http/page/jobs.js';
import { usePollInterval } from '../../live.js';
import type { ViewProps } from '../../location.js';
import { filter, Link } from '../../location.js';
import { Choice } from '../../ui/choice.js';
import { shownCount } from '../../ui/format.js';
import { moment } from '../../ui/moment.js';
import { Empty, NumberedPages, pageSizes, RawJson, Shown } from '../../ui/shown.js';
import { StateIcon } from '../../ui/state.js';
import { useRead } from '../../use-read.js';
import { BulkActions } from './bulk-actions.js';
import { Comparison } from './comparison.js';
import { Job } from './job.js';
import { jobStatuses, statusWords, taskStateOf } from './job-status.js';
import { isOrder, JobTable } from './job-table.js';
import { NewJob } from './new-job.js';
import { Submit } from './submit.js';

const subjects = ['job', 'runtime'];
const firstCommand = "agent-runtime tool submit_background_task --arg task_description='Say hello'";
const filters = ['status', 'type', 'project', 'only', 'text', 'from', 'to', 'relay'];
/** The address's value for jobs without a project; an empty value means any project. */
const noProject = 'none';

/** Background tasks and jobs of every type, or one of them in full. */
export function Jobs({ rest, query }: ViewProps) {
  if (rest === 'compare') return <Comparison query={query} />;
  return rest === '' ? <AllJobs query={query} /> : <Job id={rest} query={query} />;
}

function AllJobs({ query }: { query: URLSearchParams }) {
  // Only running jobs progress without a recorded change.
  const [isBusy, setBusy] = useState(false);
  const everyMs = usePollInterval(2_000, isBusy);
  const reading = useRead<JobPage>('page/jobs', argumentsOf(query), { subjects, keepsLast: true, everyMs });
  const isRunning = (reading.data?.counts.running.jobs ?? 0) > 0;
  useEffect(() => setBusy(isRunning), [isRunning]);
  return (
    <>
      <div class="toolbar">
        <JobFilters query={query} read={reading.data} />
        {query.get('type') && <Link to={`/jobs/compare?type=${query.get('type')}`}>Compare</Link>}
        <NewJob />
        <Submit />
      </div>
      <Shown reading={reading}>
        {(read) => (
          <>
            <StatusTabs query={query} read={read} />
            <BulkActions args={filterOf(query)} read={read} />
            {read.jobs.length === 0 ? <Nothing query={query} /> : <JobTable jobs={read.jobs} query={query} />}
            <NumberedPages path="/jobs" query={query} total={read.total} size={sizeOf(query)} />
            <RawJson value={read} />
          </>
        )}
      </Shown>
    </>
  );
}

const usualSize = 50;

function sizeOf(query: URLSearchParams): number {
  const size = Number(query.get('size'));
  return pageSizes.includes(size) ? size : usualSize;
}

function argumentsOf(query: URLSearchParams) {
  const [sort, page] = [query.get('sort') ?? '', Number(query.get('page'))];
  return {
    ...filterOf(query),
    ...(isOrder(sort) ? { sort, ascending: query.has('ascending') } : {}),
    ...(Number.isInteger(page) && page > 1 ? { page } : {}),
    limit: sizeOf(query),
  };
}

/** What the list is filtered by, as the reads and the actions on all of it take it. */
function filterOf(query: URLSearchParams) {
  const [status, type, project, only, text, from, to, relay] = filters.map((name) => query.get(name) ?? '');
  const [since, before] = [startOf(from), startOf(to, 1)];
  return {
    ...(jobStatuses.some((known) => known === status) ? { status } : {}),
    ...(type ? { type } : {}),
    ...(project ? { project: project === noProject ? '' : project } : {}),
    ...(only === 'dead' || only === 'unread' ? { only } : {}),
    ...(text ? { text } : {}),
    ...(since ? { since } : {}),
    ...(before ? { before } : {}),
    ...(relay ? { relay } : {}),
    ...endOf(query),
  };
}

/** When jobs ended, and by which error: what a chart or a figure leads to. */
function endOf(query: URLSearchParams) {
  const given = ['ended_since', 'ended_before', 'error'].map((name) => [name, query.get(name)]);
  return Object.fromEntries(given.filter(([, value]) => value));
}

/** The begin of a day of the address (`2026-03-01`) in the zone of who looks, or of one some days later. */
function startOf(day = '', daysLater = 0): string | undefined {
  const at = new Date(`${day}T00:00:00`);
  if (Number.isNaN(at.getTime())) return undefined;
  at.setDate(at.getDate() + daysLater);
  return at.toISOString();
}

function JobFilters({ query, read }: { query: URLSearchParams; read: JobPage | undefined }) {
  const types = read?.types.map((type) => ({ value: type, words: type === 'llm' ? 'llm (background task)' : type }));
  const projects = read?.projects.map((path) =>
    path === ''
      ? { value: noProject, words: 'No project' }
      : { value: path, words: path.split(/[\\/]/).slice(-2).join('/') },
  );
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <input
        type="search"
        aria-label="text"
        placeholder="Search jobs"
        dir="auto"
        maxLength={200}
        value={query.get('text') ?? ''}
        onInput={(event) => filter({ text: event.currentTarget.value, page: '' })}
      />
      <Choice name="type" any="Any type" query={query} choices={types ?? []} />
      <Choice name="project" any="Any project" query={query} choices={projects ?? []} />
      {(['from', 'to'] as const).map((name) => (
        <label key={name} class="quiet">
          {name}
          <input
            type="date"
            aria-label={`submitted ${name}`}
            value={query.get(name) ?? ''}
            onChange={(event) => filter({ [name]: event.currentTarget.value, page: '' })}
          />
        </label>
      ))}
      {query.has('relay') && (
        <button type="button" class="is-set" onClick={() => filter({ relay: '', page: '' })}>
          Jobs of one relay ✕
        </button>
      )}
      <EndFilter query={query} />
    </form>
  );
}

function EndFilter({ query }: { query: URLSearchParams }) {
  const [since, before, error] = ['ended_since', 'ended_before', 'error'].map((name) => query.get(name));
  if (!since && !before && !error) return null;
  const words = [
    error && `Failed by ${error}`,
    since && `since ${moment(since)}`,
    before && `before ${moment(before)}`,
  ];
  const nothing = { ended_since: '', ended_before: '', error: '', page: '' };
  return (
    <button type="button" class="is-set" onClick={() => filter(nothing)}>
      {!error && 'Ended '}
      {words.filter(Boolean).join(', ')} ✕
    </button>
  );
}

/** Tabs by status, with the number of rows in each. */
function StatusTabs({ query, read }: { query: URLSearchParams; read: JobPage }) {
  const [status, only] = [query.get('status') ?? '', query.get('only') ?? ''];
  const all = jobStatuses.reduce((sum, one) => sum + read.counts[one].rows, 0);
  const choose = (changes: { status?: string; only?: string }) =>
    filter({ status: '', only: '', page: '', ...changes });
  return (
    <fieldset class="tabs job-tabs" aria-label="Status">
      <button type="button" aria-pressed={status === '' && only === ''} onClick={() => choose({})}>
        All <b>{shownCount(all)}</b>
      </button>
      {jobStatuses.map((one) => (
        <button key={one} type="button" aria-pressed={status === one} onClick={() => choose({ status: one })}>
          <StateIcon state={taskStateOf[one]} />
          {statusWords[one]} <b>{shownCount(read.counts[one].rows)}</b>
        </button>
      ))}
      <button
        type="button"
        aria-pressed={only === 'unread'}
        title="Results that no session has fetched yet"
        onClick={() => choose({ only: 'unread' })}
      >
        Unread <b>{shownCount(read.unread.rows)}</b>
      </button>
      {(read.dead.rows > 0 || only === 'dead') && (
        <button
          type="button"
          class="bad"
          aria-pressed={only === 'dead'}
          title="Their runner was lost too often; they wait for a retry"
          onClick={() => choose({ only: 'dead' })}
        >
          Dead <b>{shownCount(read.dead.rows)}</b>
        </button>
      )}
    </fieldset>
  );
}

function Nothing({ query }: { query: URLSearchParams }) {
  if (!filters.some((name) => query.has(name))) {
    return (
      <Empty
        what="Nothing runs in the background yet. What any session submits is shown here."
        command={firstCommand}
      />
    );
  }
  return (
    <div class="empty">
      <p>No job matches.</p>
      <Link to="/jobs">Show all</Link>
    </div>
  );
}
