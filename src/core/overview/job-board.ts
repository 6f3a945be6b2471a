import type { Sql } from '../../store/sql.js';
import { type JobStatus, jobStatuses } from '../jobs/job.js';
import { type JobCountScope, readJobCounts } from '../jobs/job-counts.js';
import { countSeen, findJob, joinChunks } from '../jobs/read-jobs.js';
import { relayStep } from '../relay/step-job.js';
import { countJobList, isListed, type JobListFilter, whereInList } from './job-list.js';

/** How many rows the list has, where a relay is one; and how many jobs those stand for. */
export interface RowsAndJobs {
  rows: number;
  jobs: number;
}

export interface JobCounts {
  byStatus: Record<JobStatus, RowsAndJobs>;
  dead: RowsAndJobs;
  unread: RowsAndJobs;
}

/**
 * Counts jobs by status, and those that need attention, dead and unread ones, whatever of that the filter says. Where it
 * asks for no more than a type and a project the stored counts have the numbers, and only the steps of relays are read.
 */
export async function countJobs(sql: Sql, given: JobListFilter): Promise<JobCounts> {
  const filter = { ...given, status: undefined, isDead: undefined, isUnseen: undefined };
  const { type, onlyProject, ...others } = filter;
  const isStored = Object.values(others).every((other) => other === undefined);
  const [byStatus, dead, unread] = await Promise.all([
    isStored ? storedByStatus(sql, { type, onlyProject }) : countByStatus(sql, filter),
    countFew(sql, { ...filter, isDead: true }),
    isStored ? storedUnseen(sql, { type, onlyProject }) : countFew(sql, { ...filter, isUnseen: true }),
  ]);
  return { byStatus, dead, unread };
}

/** How many rows a list by the filter of these counts has, on all pages. */
export async function countRowsIn(sql: Sql, filter: JobListFilter, counts: JobCounts): Promise<number> {
  const { status, isDead, isUnseen } = filter;
  if (isDead || isUnseen) {
    if (status !== undefined || (isDead && isUnseen)) return countJobList(sql, filter);
    return isDead ? counts.dead.rows : counts.unread.rows;
  }
  const asked: readonly JobStatus[] = status === undefined ? jobStatuses : [status];
  return asked.reduce((sum, each) => sum + counts.byStatus[each].rows, 0);
}

const rowsAndJobs = (filter: JobListFilter): string =>
  `count(case when ${isListed(filter)} then 1 end) as "rows", count(*) as jobs`;

async function countByStatus(sql: Sql, filter: JobListFilter): Promise<JobCounts['byStatus']> {
  const { text, values } = whereInList(filter);
  const found = await sql.all<RowsAndJobs & { status: JobStatus }>(
    `select status, ${rowsAndJobs(filter)} from jobs ${text} group by status`,
    ...values,
  );
  const none = jobStatuses.map((status) => [status, { rows: 0, jobs: 0 }]);
  const byStatus = Object.fromEntries(none) as JobCounts['byStatus'];
  for (const { status, ...count } of found) byStatus[status] = count;
  return byStatus;
}

async function countFew(sql: Sql, filter: JobListFilter): Promise<RowsAndJobs> {
  const { text, values } = whereInList(filter);
  const found = await sql.get<RowsAndJobs>(`select ${rowsAndJobs(filter)} from jobs ${text}`, ...values);
  return found ?? { rows: 0, jobs: 0 };
}

/** Each job has a row of its own but the steps of relays, of which there are not many at once. */
async function storedByStatus(sql: Sql, scope: JobCountScope): Promise<JobCounts['byStatus']> {
  const counts = await readJobCounts(sql, scope);
  const steps = hasSteps(scope) ? await countByStatus(sql, { ...scope, type: relayStep }) : undefined;
  const counted = jobStatuses.map((status) => [status, withSteps(counts[status], steps?.[status])]);
  return Object.fromEntries(counted) as JobCounts['byStatus'];
}

/** The unread ones without those that a person has taken note of. */
async function storedUnseen(sql: Sql, scope: JobCountScope): Promise<RowsAndJobs> {
  const { unread } = await readJobCounts(sql, scope);
  const steps = hasSteps(scope) ? await countFew(sql, { ...scope, type: relayStep, isUnseen: true }) : undefined;
  return withSteps(unread - (await countSeen(sql, scope)), steps);
}

const hasSteps = ({ type }: JobCountScope): boolean => type === undefined || type === relayStep;

const withSteps = (jobs: number, steps: RowsAndJobs = { rows: 0, jobs: 0 }): RowsAndJobs => ({
  rows: jobs - steps.jobs + steps.rows,
  jobs,
});

/** The types and projects of all jobs. Skips from one value to the next along an index, as there may be many jobs. */
export async function readJobChoices(sql: Sql): Promise<{ types: string[]; projects: string[] }> {
  return { types: await distinct(sql, 'type'), projects: await distinct(sql, 'project') };
}

async function distinct(sql: Sql, column: 'type' | 'project'): Promise<string[]> {
  const rows = await sql.all<{ value: string }>(
    `with recursive found (value) as (
       select min(${column}) from jobs
       union all
       select (select min(${column}) from jobs where ${column} > found.value) from found where found.value is not null
     )
     select value from found where value is not null limit 200`,
  );
  return rows.map(({ value }) => value);
}

/** A dependency or a dependent of a job. */
export interface LinkedJob {
  id: string;
  type: string;
  status: JobStatus;
}

const mostLinks = 100;

/** The dependencies of a job (`before`) and its dependents (`after`). */
export async function readJobLinks(sql: Sql, id: string): Promise<{ before: LinkedJob[]; after: LinkedJob[] }> {
  return {
    before: await sql.all<LinkedJob>(
      `select j.id, j.type, j.status from job_dependencies d join jobs j on j.id = d.depends_on
       where d.job_id = ? order by j.seq limit ?`,
      id,
      mostLinks,
    ),
    after: await sql.all<LinkedJob>(
      `select j.id, j.type, j.status from job_dependencies d join jobs j on j.id = d.job_id
       where d.depends_on = ? order by j.seq limit ?`,
      id,
      mostLinks,
    ),
  };
}

/** The jobs that work or have worked on a task, the newest first. */
export const readJobsOfTask = (
  sql: Sql,
  taskId: number,
  limit: number,
): Promise<(LinkedJob & { createdAt: number })[]> =>
  sql.all(
    'select id, type, status, created_at as "createdAt" from jobs where task_id = ? order by seq desc limit ?',
    taskId,
    limit,
  );

export interface OutputPart {
  status: JobStatus;
  attempt: number;
  /** The text is of an earlier attempt: the present one has no output yet and will replace it. */
  isEarlier: boolean;
  text: string;
  totalChars: number;
}

/** The outputs of the attempts of a job that have some; that of the last completed one is the job's own. */
export async function readAttemptOutputs(sql: Sql, id: string): Promise<{ attempt: number; output: string }[]> {
  const job = await findJob(sql, id);
  const kept = await sql.all<{ attempt: number; outcome: string | null; output: string | null }>(
    'select attempt, outcome, output from job_attempts where job_id = ? order by attempt',
    job.id,
  );
  return kept.flatMap(({ attempt, outcome, output }) => {
    const text = output ?? (attempt === job.attempt && outcome === 'completed' ? job.output : null);
    return text === null ? [] : [{ attempt, output: text.slice(0, longestCompared) }];
  });
}

/** Longer outputs are compared by their beginning. */
const longestCompared = 200_000;

/** The output of a job so far: at most `most` characters from `from` on. */
export async function readOutputPart(sql: Sql, id: string, from: number, most: number): Promise<OutputPart> {
  const { status, attempt, output } = await findJob(sql, id);
  const pieces = status === 'running' ? await joinChunks(sql, id) : '';
  const text = pieces === '' ? (output ?? '') : pieces;
  const isEarlier = status === 'running' && pieces === '';
  return { status, attempt, isEarlier, text: text.slice(from, from + most), totalChars: text.length };
}
