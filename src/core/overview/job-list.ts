import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import { jobStatuses } from '../jobs/job.js';
import { type JobFilter, type ListedJob, listJobsBy, whereJobs } from '../jobs/read-jobs.js';
import { relayStep } from '../relay/step-job.js';

/** What a list of jobs is ordered by; `interest`: running ones, then failed ones, then the rest, newest first. */
export const jobOrders = ['interest', 'submitted', 'status', 'type', 'model', 'tokens', 'took'] as const;
export type JobOrder = (typeof jobOrders)[number];

export interface JobListFilter extends Pick<JobFilter, 'status' | 'type' | 'onlyProject' | 'isDead' | 'isUnseen'> {
  /** In the payload, the id or the error, in whatever case. */
  text?: string | undefined;
  submittedSince?: EpochMs | undefined;
  submittedBefore?: EpochMs | undefined;
  endedSince?: EpochMs | undefined;
  endedBefore?: EpochMs | undefined;
  /** The code of an error by which an attempt of the job failed. */
  error?: string | undefined;
  /** The jobs of this relay, each of them. Without it a relay is one row: that of its newest job. */
  relay?: string | undefined;
}

export interface JobListPage {
  order: JobOrder;
  isAscending: boolean;
  limit: number;
  offset: number;
  now: EpochMs;
}

export interface JobListing {
  jobs: ListedJob[];
  /** How many jobs a relay has, by the id of its newest job. */
  relaySizes: Map<string, number>;
}

/** A page of jobs in some order. */
export async function readJobList(sql: Sql, filter: JobListFilter, page: JobListPage): Promise<JobListing> {
  const order = `${orderBy(page)}, seq desc`;
  const { text, values } = page.order === 'interest' ? pickByStatus(filter, page) : pick(filter, page, order);
  const jobs = await listJobsBy(sql, { text: `where seq in (${text})`, values }, order);
  const steps = filter.relay === undefined ? jobs.filter(({ type }) => type === relayStep) : [];
  return { jobs, relaySizes: await readRelaySizes(sql, steps) };
}

/** The numbers of the jobs of a page: they alone are sorted, as payloads may be long. */
function pick(filter: JobListFilter, { limit, offset }: JobListPage, order: string): Fragment {
  const found = whereListed(filter);
  return {
    text: `select seq from jobs ${found.text} order by ${order} limit ? offset ?`,
    values: [...found.values, limit, offset],
  };
}

/** The same in the usual order. The jobs of one status are in this order in an index: none is read that the page leaves out. */
function pickByStatus(filter: JobListFilter, page: JobListPage): Fragment {
  const parts = jobStatuses
    .filter((status) => filter.status === undefined || status === filter.status)
    .map((status) => {
      const ofStatus = pick({ ...filter, status }, { ...page, limit: page.limit + page.offset, offset: 0 }, 'seq desc');
      return { ...ofStatus, text: `select '${status}' as status, seq from (${ofStatus.text}) as ${status}` };
    });
  return {
    text: `select seq from (${parts.map(({ text }) => text).join(' union all ')}) as found
      order by ${orderBy(page)}, seq desc limit ? offset ?`,
    values: [...parts.flatMap(({ values }) => values), page.limit, page.offset],
  };
}

/** How many rows the list has, on all pages. */
export const countJobList = (sql: Sql, filter: JobListFilter): Promise<number> =>
  countRows(sql, 'jobs', whereListed(filter));

/** The ids of the jobs that a filter finds, oldest first; a relay's jobs are not folded. */
export async function readJobIds(sql: Sql, filter: JobListFilter, limit: number): Promise<string[]> {
  const found = whereInList(filter);
  const rows = await sql.all<{ id: string }>(
    `select id from jobs ${found.text} order by seq limit ?`,
    ...found.values,
    limit,
  );
  return rows.map(({ id }) => id);
}

/** Jobs of the same relay that came later. */
const isOlderStep = `type = '${relayStep}' and exists (
  select 1 from relay_batons mine
  join relay_batons other on other.pipeline_id = mine.pipeline_id and other.job_id is not null
  join jobs later on later.id = other.job_id
  where mine.job_id = jobs.id and later.seq > jobs.seq)`;

/** SQL: whether a job that a filter finds has a row of its own in the list. */
export const isListed = ({ relay }: JobListFilter): string => (relay === undefined ? `not (${isOlderStep})` : '1 = 1');

/** The `where` of all jobs that a filter finds. */
export const whereInList = (filter: JobListFilter): Fragment => where(...conditionsOf(filter));

const whereListed = (filter: JobListFilter): Fragment =>
  where(...conditionsOf(filter), { text: isListed(filter), values: [] });

function conditionsOf({ text, submittedSince, submittedBefore, relay, ...more }: JobListFilter) {
  const { endedSince, endedBefore, error, ...filter } = more;
  const { text: words, values } = whereJobs(filter);
  return [
    words !== '' && { text: words.replace(/^where /, ''), values },
    is('created_at >= ?', submittedSince),
    is('created_at < ?', submittedBefore),
    is('completed_at >= ?', endedSince),
    is('completed_at < ?', endedBefore),
    is('id in (select job_id from job_attempts where error_code = ?)', error),
    is('id in (select job_id from relay_batons where pipeline_id = ?)', relay),
    text !== undefined && containing(text),
  ];
}

function containing(text: string): Fragment {
  const like = (pattern: string) => `%${pattern.replace(/[\\%_]/g, '\\$&')}%`;
  // In a payload quotes and line ends are escaped.
  const inJson = JSON.stringify(text).slice(1, -1);
  // Both sides by the engine's own rules of case.
  const isIn = (column: string) => `lower(${column}) like lower(?) escape '\\'`;
  return {
    text: `(${isIn('payload')} or ${isIn('id')} or ${isIn("coalesce(error_message, '')")})`,
    values: [like(inJson), like(text), like(text)],
  };
}

/** The same in both engines: nothing is null, as they sort nulls otherwise. */
function orderBy({ order, isAscending, now }: JobListPage): string {
  const direction = isAscending ? 'asc' : 'desc';
  switch (order) {
    case 'interest':
      return "case status when 'running' then 0 when 'failed' then 1 else 2 end";
    case 'submitted':
      return `created_at ${direction}, seq ${direction}`;
    case 'status':
      return `status ${direction}`;
    case 'type':
      return `type ${direction}`;
    case 'model':
      return `coalesce(model, requested_model, '') ${direction}`;
    case 'tokens':
      return `input_tokens + output_tokens ${direction}`;
    case 'took':
      return `case when started_at is null then 0 else coalesce(completed_at, ${now}) - started_at end ${direction}`;
  }
}

async function readRelaySizes(sql: Sql, jobs: readonly ListedJob[]): Promise<Map<string, number>> {
  if (jobs.length === 0) return new Map();
  const rows = await sql.all<{ id: string; count: number }>(
    `select mine.job_id as id, count(other.job_id) as count from relay_batons mine
     join relay_batons other on other.pipeline_id = mine.pipeline_id and other.job_id is not null
     where mine.job_id in (${jobs.map(() => '?').join(', ')}) group by mine.job_id`,
    ...jobs.map(({ id }) => id),
  );
  return new Map(rows.map(({ id, count }) => [id, count]));
}
