import type { Sql, Value } from '../../store/sql.js';
import { joinChunks } from './attempt-record.js';
import { findJob } from './find-job.js';
import { type Job, type JobRow, type JobStatus, toJob } from './job.js';

export interface JobFilter {
  status?: JobStatus | undefined;
  type?: string | undefined;
  /** Its jobs and those of no project. */
  project?: string | undefined;
  /** The page after the one that ended with this sequence number. */
  beforeSeq?: number | undefined;
  limit: number;
}

export interface ListedJob extends Job {
  seq: number;
}

/** Jobs, newest first. */
export async function listJobs(sql: Sql, filter: JobFilter): Promise<ListedJob[]> {
  const conditions: [text: string, value: Value | undefined][] = [
    ['status = ?', filter.status],
    ['type = ?', filter.type],
    ["project in (?, '')", filter.project],
    ['seq < ?', filter.beforeSeq],
  ];
  const given = conditions.filter(([, value]) => value !== undefined);
  const where = given.length > 0 ? `where ${given.map(([text]) => text).join(' and ')}` : '';
  // Neither output nor result, which may be long.
  const rows = await sql.all<JobRow>(
    `select ${briefColumns} from jobs ${where} order by seq desc limit ?`,
    ...given.map(([, value]) => value ?? null),
    filter.limit,
  );
  return rows.map((row) => ({ ...toJob(row), seq: row.seq }));
}

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

export interface LogLine {
  at: number;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: string | null;
}

/** The newest lines of a job's log, oldest first. */
export async function listLogs(sql: Sql, jobId: string, limit: number): Promise<LogLine[]> {
  const lines = await sql.all<LogLine>(
    'select at, level, message, fields from job_logs where job_id = ? order by id desc limit ?',
    jobId,
    limit,
  );
  return lines.reverse();
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
