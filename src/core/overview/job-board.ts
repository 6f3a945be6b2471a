import type { Sql } from '../../store/sql.js';
import { type JobStatus, jobStatuses } from '../jobs/job.js';
import { findJob, joinChunks } from '../jobs/read-jobs.js';
import { isListed, type JobListFilter, whereInList } from './job-list.js';

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

/** Counts jobs by status, and those that need attention: dead and unread ones; whatever of that the filter says. */
export async function countJobs(sql: Sql, given: JobListFilter): Promise<JobCounts> {
  const filter = { ...given, status: undefined, isDead: false, isUnread: false };
  const counts = `count(case when ${isListed(filter)} then 1 end) as "rows", count(*) as jobs`;
  const all = whereInList(filter);
  const found = await sql.all<RowsAndJobs & { status: JobStatus }>(
    `select status, ${counts} from jobs ${all.text} group by status`,
    ...all.values,
  );
  const none = jobStatuses.map((status) => [status, { rows: 0, jobs: 0 }]);
  const byStatus = Object.fromEntries(none) as Record<JobStatus, RowsAndJobs>;
  for (const { status, ...count } of found) byStatus[status] = count;
  const few = async (condition: JobListFilter) => {
    const { text, values } = whereInList({ ...filter, ...condition });
    return (await sql.get<RowsAndJobs>(`select ${counts} from jobs ${text}`, ...values)) ?? { rows: 0, jobs: 0 };
  };
  return { byStatus, dead: await few({ isDead: true }), unread: await few({ isUnseen: true }) };
}

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
