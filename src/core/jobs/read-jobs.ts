import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Json } from '../../base/json.js';
import type { Cost } from '../../base/money.js';
import { nearest } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import { personMark } from '../actor.js';
import { listKeyed } from '../tasks/task.js';
import { type Job, type JobRow, type JobStatus, jobStatuses, toJob } from './job.js';
import { type JobCountScope, readJobCounts } from './job-counts.js';
import { readResult } from './second-names.js';

export type JobReads = ReturnType<typeof createJobReads>;

/** The reads of the queue, and the mark that a result has been read. */
export function createJobReads(db: Sql, clock: Clock) {
  return {
    /** While it runs, with the model and the tokens of the attempt under way. */
    get: async (id: string): Promise<Job> => withAttemptUnderWay(db, toJob(await findJob(db, id))),
    /** For callers that poll: neither prompt nor result is read. */
    status: (id: string): Promise<JobStatus> => findStatus(db, id),
    progress: (id: string): Promise<JobProgress> => findProgress(db, id),
    list: (filter: JobFilter): Promise<ListedJob[]> => listJobs(db, filter),
    /** How many there are on all pages of a list. */
    count: (filter: Omit<JobFilter, 'limit' | 'beforeSeq'>): Promise<number> => countListed(db, filter),
    /** The results of these jobs by id; those without one are left out. */
    results: (ids: readonly string[]): Promise<Map<string, Json>> => readResults(db, ids),
    output: (id: string): Promise<string> => readOutput(db, id),
    attempts: (id: string): Promise<Attempt[]> => listAttempts(db, id),
    logs: (id: string, limit: number): Promise<LogEntry[]> => listLogs(db, id, limit),
    logsAfter: (id: string, afterId: number, limit: number): Promise<LogEntry[]> =>
      listLogsAfter(db, id, afterId, limit),
    artifacts: (id: string): Promise<StoredArtifact[]> => listArtifacts(db, id),

    async dependsOn(id: string): Promise<string[]> {
      const rows = await db.all<{ depends_on: string }>('select depends_on from job_dependencies where job_id = ?', id);
      return rows.map((row) => row.depends_on);
    },

    /** What the jobs of a task on the board have cost. Tokens that a session has reported have no known cost. */
    costOfTask: (taskId: number): Promise<Cost> => costOfTask(db, taskId),

    markRead: (id: string): Promise<void> => markRead(db, id, clock.now()),
  };
}

/** Reads a job's row. Throws `not_found`; for the id of a board task the error says where it belongs. */
export async function findJob(sql: Sql, id: string): Promise<JobRow> {
  const row = await sql.get<JobRow>('select * from jobs where id = ?', id);
  if (row) return row;
  throw await unknownJob(sql, id);
}

async function withAttemptUnderWay(sql: Sql, job: Job): Promise<Job> {
  if (job.status !== 'running') return job;
  const attempt = await sql.get<Pick<Attempt, 'model' | 'inputTokens' | 'outputTokens'> & Cost>(
    `select model, cost_micros as micros, unpriced_calls as unpriced, input_tokens + live_input_tokens as "inputTokens", output_tokens + live_output_tokens as "outputTokens"
     from job_attempts where job_id = ? and attempt = ? and ended_at is null`,
    job.id,
    job.attempt,
  );
  if (!attempt) return job;
  return {
    ...job,
    model: attempt.model ?? job.model,
    inputTokens: job.inputTokens + attempt.inputTokens,
    outputTokens: job.outputTokens + attempt.outputTokens,
    cost: { micros: job.cost.micros + attempt.micros, unpriced: job.cost.unpriced + attempt.unpriced },
  };
}

async function costOfTask(sql: Sql, taskId: number): Promise<Cost> {
  const sum = await sql.get<{ micros: number | null; unpriced: number | null; jobs: number }>(
    `select cast(sum(cost_micros) as bigint) as micros, cast(sum(unpriced_calls) as bigint) as unpriced, count(*) as jobs
     from jobs where task_id = ?`,
    taskId,
  );
  return sum && sum.jobs > 0 ? { micros: sum.micros ?? 0, unpriced: sum.unpriced ?? 0 } : { micros: 0, unpriced: 1 };
}

/** Reads a job's status, without the texts of its row. Throws as `findJob` does. */
export async function findStatus(sql: Sql, id: string): Promise<JobStatus> {
  const row = await sql.get<{ status: JobStatus }>('select status from jobs where id = ?', id);
  if (row) return row.status;
  throw await unknownJob(sql, id);
}

export interface JobProgress {
  status: JobStatus;
  /** 0 to 1. */
  progress: number | null;
  progressMessage: string | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** Reads a job's progress, for callers that poll. Throws as `findJob` does. */
export async function findProgress(sql: Sql, id: string): Promise<JobProgress> {
  const row = await sql.get<JobProgress>(
    `select status, progress, progress_message as "progressMessage", error_code as "errorCode",
       error_message as "errorMessage" from jobs where id = ?`,
    id,
  );
  if (row) return row;
  throw await unknownJob(sql, id);
}

/** Marks the result of a job as read, so that it is no longer among the unread ones. */
export async function markRead(sql: Sql, id: string, at: EpochMs): Promise<void> {
  await sql.run(`update jobs set read_at = ? where id = ? and ${isUnread.text}`, at, id);
}

/** SQL: no session has submitted the job. */
const askedByPerson = `(submitted_by is null or submitted_by like '${personMark}%')`;

/** The same for a person, who reads only what no session has asked for: a session has yet to see its own. */
export async function markReadByPerson(sql: Sql, id: string, at: EpochMs): Promise<void> {
  await sql.run(`update jobs set read_at = ? where id = ? and ${askedByPerson} and ${isUnread.text}`, at, id);
}

/** Takes back what `markReadByPerson` has done at a time. */
export async function markUnreadByPerson(sql: Sql, id: string, at: EpochMs): Promise<void> {
  await sql.run(`update jobs set read_at = null where id = ? and ${askedByPerson} and read_at = ?`, id, at);
}

async function unknownJob(sql: Sql, id: string): Promise<RuntimeError> {
  const task = /^\d+$/.test(id)
    ? await sql.get<{ id: number }>('select id from tasks where id = ?', Number(id))
    : (await listKeyed(sql, id))[0];
  if (task) {
    return new RuntimeError(
      'not_found',
      `${id} is a task on the board, not a background task.`,
      'Call get_task with it; background tasks have ids like 3f2c9a1e-....',
    );
  }
  return new RuntimeError(
    'not_found',
    `No background task or job has id ${id}.`,
    `${await didYouMean(sql, id)}Call list_background_tasks or list_jobs to see the ids there are.`,
  );
}

/** A sentence with the ids among the newest that `id` is probably a misspelling of, or of the beginning of. */
async function didYouMean(sql: Sql, id: string): Promise<string> {
  if (id.length < 4) return '';
  const rows = await sql.all<{ id: string }>('select id from jobs order by seq desc limit 500');
  const byBeginning = new Map(rows.map((row) => [row.id.slice(0, id.length).replaceAll('-', '_'), row.id]));
  const near = nearest(id, [...byBeginning.keys()]).map((beginning) => byBeginning.get(beginning));
  return near.length === 0 ? '' : `Did you mean ${near.join(' or ')}? `;
}

export interface JobFilter {
  status?: JobStatus | undefined;
  type?: string | undefined;
  /** Only dead letters: jobs whose runners were lost too often. */
  isDead?: boolean | undefined;
  /** Jobs of this project, and those of no project. */
  project?: string | undefined;
  /** Jobs of exactly this project; '' for those of no project. */
  onlyProject?: string | undefined;
  /** Only jobs of this sweep. */
  sweep?: string | undefined;
  /** Only jobs that have ended and whose result has not been read. */
  isUnread?: boolean | undefined;
  /** Only those of them that no person has seen either. */
  isUnseen?: boolean | undefined;
  /** Only jobs before this sequence number, for the next page. */
  beforeSeq?: number | undefined;
  limit: number;
}

export interface ListedJob extends Job {
  seq: number;
}

/** Jobs, newest first. */
export async function listJobs(sql: Sql, filter: JobFilter): Promise<ListedJob[]> {
  const { text, values } = whereJobs(filter);
  return listJobsBy(sql, { text, values: [...values, filter.limit] }, 'seq desc limit ?');
}

/** Jobs by a `where` and an order of the caller's, without output and result, which may be long. */
export async function listJobsBy(sql: Sql, found: Fragment, order: string): Promise<ListedJob[]> {
  const rows = await sql.all<JobRow>(
    `select ${briefColumns} from jobs ${found.text} order by ${order}`,
    ...found.values,
  );
  return rows.map((row) => ({ ...toJob(row), seq: row.seq }));
}

/** How many jobs a filter finds, on all pages of their list: off the stored counts, where they hold what is asked for. */
async function countListed(sql: Sql, { beforeSeq: _, ...filter }: Omit<JobFilter, 'limit'>): Promise<number> {
  const { status, type, onlyProject, project, isUnread, ...others } = filter;
  const isCounted = Object.values(others).every((other) => !other) && !(isUnread && status !== undefined);
  if (!isCounted) return countRows(sql, 'jobs', whereJobs(filter));
  const counts = await readJobCounts(sql, { type, onlyProject, project });
  if (isUnread) return counts.unread;
  return status === undefined ? jobStatuses.reduce((sum, each) => sum + counts[each], 0) : counts[status];
}

/** The `where` of a filter. */
export function whereJobs(filter: Omit<JobFilter, 'limit'>): Fragment {
  return where(
    is('status = ?', filter.status),
    is('type = ?', filter.type),
    is("project in (?, '')", filter.project),
    is('project = ?', filter.onlyProject),
    is('sweep = ?', filter.sweep),
    is('seq < ?', filter.beforeSeq),
    filter.isDead && isDeadLetter,
    filter.isUnread && isUnread,
    filter.isUnseen && isUnseen,
  );
}

/** Worded exactly as in the partial index of dead letters. */
const isDeadLetter: Fragment = { text: 'is_dead = 1', values: [] };

/** Worded exactly as in the partial index of unread results. */
const isUnread: Fragment = { text: "read_at is null and status in ('completed', 'failed')", values: [] };

/** SQL: the kinds of needs that are about a job. */
const jobNeeds = "'unread_answer', 'failed_job', 'dead_job'";

/** What people take note of leaves a result unread for the session that waits for it. */
const isUnseen: Fragment = {
  text: `${isUnread.text} and not exists (select 1 from acknowledgements a
    where a.subject_id = jobs.id and a.kind in (${jobNeeds}) and a.at >= jobs.completed_at)`,
  values: [],
};

/** How many unread jobs people have taken note of: they are unread for the sessions that wait for them alone. */
export async function countSeen(sql: Sql, { type, onlyProject }: JobCountScope): Promise<number> {
  const found = where(
    is(`seq in (select j.seq from acknowledgements a join jobs j on j.id = a.subject_id
      where a.kind in (${jobNeeds}) and a.at >= j.completed_at)`),
    isUnread,
    is('type = ?', type),
    is('project = ?', onlyProject),
  );
  return countRows(sql, 'jobs', found);
}

/** Those of these jobs whose result neither a session nor a person has read. */
export async function unseenAmong(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  // As a condition it would lead the planner to the index of all that are unread.
  const rows = await sql.all<{ id: string; isUnseen: number }>(
    `select id, case when ${isUnseen.text} then 1 else 0 end as "isUnseen" from jobs where id in (${ids.map(() => '?').join(', ')})`,
    ...ids,
  );
  return new Set(rows.flatMap(({ id, isUnseen }) => (isUnseen === 1 ? [id] : [])));
}

const briefColumns = `seq, id, type, status, payload, metadata, priority, requires, run_at, unfinished_dependencies,
  timeout_seconds, attempt, max_attempts, tries, crashes, is_dead, cancel_requested_at, progress, progress_message,
  requested_model, model, input_tokens, output_tokens, token_budget, cost_micros, unpriced_calls, budget_micros, null as output, null as result, verdict, warnings, error_code,
  error_message, task_id, goal_id, parent_id, sweep, project, submitted_by, read_at, created_at, updated_at, started_at, completed_at`;

async function readResults(sql: Sql, ids: readonly string[]): Promise<Map<string, Json>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.all<{ id: string; type: string; result: string }>(
    `select id, type, result from jobs where result is not null and id in (${ids.map(() => '?').join(', ')})`,
    ...ids,
  );
  return new Map(rows.map(({ id, type, result }) => [id, readResult(type, result)]));
}

/** The output of a job: whole when it has ended, else the pieces of the attempt under way, else that of an earlier one. */
export async function readOutput(sql: Sql, id: string): Promise<string> {
  const row = await findJob(sql, id);
  const pieces = row.status === 'running' ? await joinChunks(sql, id) : '';
  return pieces === '' ? (row.output ?? '') : pieces;
}

/** The output that the attempt under way has stored so far. */
export async function joinChunks(sql: Sql, jobId: string): Promise<string> {
  const chunks = await sql.all<{ text: string }>('select text from job_chunks where job_id = ? order by seq', jobId);
  return chunks.map((chunk) => chunk.text).join('');
}

export interface Attempt {
  attempt: number;
  outcome: string | null;
  errorCode: string | null;
  errorMessage: string | null;
  model: string | null;
  inputTokens: number;
  outputTokens: number;
  cost: Cost;
  startedAt: EpochMs;
  endedAt: EpochMs | null;
}

export async function listAttempts(sql: Sql, jobId: string): Promise<Attempt[]> {
  const rows = await sql.all<Omit<Attempt, 'cost'> & Cost>(
    `select cost_micros as micros, unpriced_calls as unpriced, attempt, outcome, error_code as "errorCode", error_message as "errorMessage", model,
       input_tokens as "inputTokens", output_tokens as "outputTokens", started_at as "startedAt", ended_at as "endedAt"
     from job_attempts where job_id = ? order by attempt`,
    jobId,
  );
  return rows.map(({ micros, unpriced, ...attempt }) => ({ ...attempt, cost: { micros, unpriced } }));
}

export interface LogEntry {
  /** Grows with every entry of any job. */
  id: number;
  at: EpochMs;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: string | null;
}

/** The newest entries of a job's log, oldest first. */
export async function listLogs(sql: Sql, jobId: string, limit: number): Promise<LogEntry[]> {
  const entries = await sql.all<LogEntry>(
    'select id, at, level, message, fields from job_logs where job_id = ? order by id desc limit ?',
    jobId,
    limit,
  );
  return entries.reverse();
}

/** The entries of a job's log after one of them (0 for all), oldest first. */
export async function listLogsAfter(sql: Sql, jobId: string, afterId: number, limit: number): Promise<LogEntry[]> {
  return sql.all<LogEntry>(
    'select id, at, level, message, fields from job_logs where job_id = ? and id > ? order by id limit ?',
    jobId,
    afterId,
    limit,
  );
}

export interface StoredArtifact {
  name: string;
  path: string;
  size_bytes: number;
  sha256: string;
}

/** The files that a job has saved in the data directory. */
export async function listArtifacts(sql: Sql, jobId: string): Promise<StoredArtifact[]> {
  return sql.all<StoredArtifact>(
    'select name, path, size_bytes, sha256 from job_artifacts where job_id = ? order by name',
    jobId,
  );
}
