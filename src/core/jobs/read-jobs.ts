import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql, Value } from '../../store/sql.js';
import { type Job, type JobRow, type JobStatus, toJob } from './job.js';

export type JobReads = ReturnType<typeof createJobReads>;

/** What anyone may ask of the queue. */
export function createJobReads(db: Sql, clock: Clock) {
  return {
    get: async (id: string): Promise<Job> => toJob(await findJob(db, id)),
    /** For those who ask often: neither prompt nor result is read. */
    status: (id: string): Promise<JobStatus> => findStatus(db, id),
    progress: (id: string): Promise<JobProgress> => findProgress(db, id),
    list: (filter: JobFilter): Promise<ListedJob[]> => listJobs(db, filter),
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

    markRead: (id: string): Promise<void> => markRead(db, id, clock.now()),
  };
}

/** The row of a job's id. Throws `not_found`, saying where ids of another kind belong. */
export async function findJob(sql: Sql, id: string): Promise<JobRow> {
  const row = await sql.get<JobRow>('select * from jobs where id = ?', id);
  if (row) return row;
  throw await unknownJob(sql, id);
}

/** The status of a job's id, without the texts of its row. Throws as `findJob` does. */
export async function findStatus(sql: Sql, id: string): Promise<JobStatus> {
  const row = await sql.get<{ status: JobStatus }>('select status from jobs where id = ?', id);
  if (row) return row.status;
  throw await unknownJob(sql, id);
}

/** How far a job is. */
export interface JobProgress {
  status: JobStatus;
  /** 0 to 1. */
  progress: number | null;
  progressMessage: string | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** How far the job of an id is, for those who look often. Throws as `findJob` does. */
export async function findProgress(sql: Sql, id: string): Promise<JobProgress> {
  const row = await sql.get<JobProgress>(
    `select status, progress, progress_message as "progressMessage", error_code as "errorCode",
       error_message as "errorMessage" from jobs where id = ?`,
    id,
  );
  if (row) return row;
  throw await unknownJob(sql, id);
}

/** Notes that the result of a job has been seen: it is no longer among the unread ones. */
export async function markRead(sql: Sql, id: string, at: EpochMs): Promise<void> {
  await sql.run(`update jobs set read_at = ? where id = ? and ${isUnread}`, at, id);
}

async function unknownJob(sql: Sql, id: string): Promise<RuntimeError> {
  const task = /^\d+$/.test(id)
    ? await sql.get<{ id: number }>('select id from tasks where id = ?', Number(id))
    : await sql.get<{ id: number }>('select id from tasks where key = ?', id);
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
    'Call list_background_tasks or list_jobs to see the ids there are.',
  );
}

export interface JobFilter {
  status?: JobStatus | undefined;
  type?: string | undefined;
  /** Only those that wait for someone to retry them, because their runners vanished too often. */
  isDead?: boolean | undefined;
  /** Its jobs and those of no project. */
  project?: string | undefined;
  /** Exactly this project; '' for those of none. */
  onlyProject?: string | undefined;
  /** Only those that have ended and whose result nobody has fetched. */
  isUnread?: boolean | undefined;
  /** The page after the one that ended with this sequence number. */
  beforeSeq?: number | undefined;
  limit: number;
}

export interface ListedJob extends Job {
  seq: number;
}

/** Jobs, newest first. */
export async function listJobs(sql: Sql, filter: JobFilter): Promise<ListedJob[]> {
  const { where, values } = conditionsOf(filter);
  // Neither output nor result, which may be long.
  const rows = await sql.all<JobRow>(
    `select ${briefColumns} from jobs ${where} order by seq desc limit ?`,
    ...values,
    filter.limit,
  );
  return rows.map((row) => ({ ...toJob(row), seq: row.seq }));
}

/** What is true of the jobs of a filter, as a `where` with its values. */
export function conditionsOf(filter: Omit<JobFilter, 'limit'>): { where: string; values: Value[] } {
  const conditions: [text: string, value: Value | undefined][] = [
    ['status = ?', filter.status],
    ['type = ?', filter.type],
    ["project in (?, '')", filter.project],
    ['project = ?', filter.onlyProject],
    ['seq < ?', filter.beforeSeq],
  ];
  const given = conditions.filter(([, value]) => value !== undefined);
  const texts = [
    ...given.map(([text]) => text),
    ...(filter.isDead ? [isDeadLetter] : []),
    ...(filter.isUnread ? [isUnread] : []),
  ];
  return {
    where: texts.length > 0 ? `where ${texts.join(' and ')}` : '',
    values: given.map(([, value]) => value ?? null),
  };
}

/** As the index of dead letters has it. */
const isDeadLetter = 'is_dead = 1';

/** As the index of unread results has it. */
const isUnread = "read_at is null and status in ('completed', 'failed')";

const briefColumns = `seq, id, type, status, payload, metadata, priority, requires, run_at, unfinished_dependencies,
  timeout_seconds, attempt, max_attempts, tries, crashes, is_dead, cancel_requested_at, progress, progress_message,
  requested_model, model, input_tokens, output_tokens, token_budget, null as output, null as result, warnings, error_code,
  error_message, task_id, goal_id, parent_id, project, submitted_by, read_at, created_at, updated_at, started_at, completed_at`;

/**
 * The text that a job has put out: whole when it has ended, else the pieces of the try under way, else what an earlier
 * try had brought.
 */
export async function readOutput(sql: Sql, id: string): Promise<string> {
  const row = await findJob(sql, id);
  const pieces = row.status === 'running' ? await joinChunks(sql, id) : '';
  return pieces === '' ? (row.output ?? '') : pieces;
}

/** The pieces of output that the attempt under way has stored so far, as one text. */
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
  startedAt: number;
  endedAt: number | null;
}

export async function listAttempts(sql: Sql, jobId: string): Promise<Attempt[]> {
  return sql.all<Attempt>(
    `select attempt, outcome, error_code as "errorCode", error_message as "errorMessage", model,
       input_tokens as "inputTokens", output_tokens as "outputTokens", started_at as "startedAt", ended_at as "endedAt"
     from job_attempts where job_id = ? order by attempt`,
    jobId,
  );
}

export interface LogEntry {
  /** Grows with every line, whichever job it is of. */
  id: number;
  at: number;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: string | null;
}

/** The newest lines of a job's log, oldest first. */
export async function listLogs(sql: Sql, jobId: string, limit: number): Promise<LogEntry[]> {
  const lines = await sql.all<LogEntry>(
    'select id, at, level, message, fields from job_logs where job_id = ? order by id desc limit ?',
    jobId,
    limit,
  );
  return lines.reverse();
}

/** The lines of a job's log that come after one of them (0 for all), oldest first. */
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

/** The files that a job has left in the data directory. */
export async function listArtifacts(sql: Sql, jobId: string): Promise<StoredArtifact[]> {
  return sql.all<StoredArtifact>(
    'select name, path, size_bytes, sha256 from job_artifacts where job_id = ? order by name',
    jobId,
  );
}
