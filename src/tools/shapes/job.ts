import { z } from 'zod';
import { type Json, readJson } from '../../base/json.js';
import { cut } from '../../base/text.js';
import { hasEnded, type Job, jobStatuses } from '../../core/jobs/job.js';
import type { Attempt, LogEntry, StoredArtifact } from '../../core/jobs/read-jobs.js';
import { withoutSecondNames } from '../../core/jobs/second-names.js';
import { iso, jsonObject, mark, whenTrue } from '../call/fields.js';
import { briefResult, partsOf } from './brief-result.js';
import { costFields, showJobCost } from './cost.js';
import { showVerdict, verdictOutput } from './verdict.js';

const jobStatus = z.enum(jobStatuses);

/** Why a job failed. */
export const jobErrorOutput = z.strictObject({ code: z.string(), message: z.string() });

/** How a background task stands, without its text. */
export const jobStatusOutput = z.strictObject({
  task_id: z.string(),
  status: jobStatus,
  /** Its prompt, cut, or the plain values of its payload. */
  description: z.string(),
  model: z.string().optional(),
  /** Where it differs from `model`. */
  requested_model: z.string().optional(),
  attempt: z.int(),
  max_attempts: z.int(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  next_attempt_at: z.string().optional(),
  /** How many jobs that it depends on are not done. */
  waits_for: z.int().optional(),
  /** 0 to 1. */
  progress: z.number().optional(),
  progress_message: z.string().optional(),
  cancel_requested: mark,
  /** Its runner vanished too often; `retry_task` tries again. */
  dead: mark,
  input_tokens: z.int(),
  output_tokens: z.int(),
  ...costFields,
  error: jobErrorOutput.optional(),
  warnings: z.array(z.string()).optional(),
  /** How its answer meets the acceptance criteria of that task. */
  verdict: verdictOutput.optional(),
  /** The task on the board that it works on. */
  board_task_id: z.int().optional(),
  /** The last 200 characters that have arrived. */
  partial_output: z.string().optional(),
});

export type ShownJobStatus = z.infer<typeof jobStatusOutput>;

/** @internal */
export function showJobStatus(job: Job, partialOutput = '', now = 0): ShownJobStatus {
  return {
    task_id: job.id,
    status: job.status,
    description: cut(summarize(job.type, job.payload), 80),
    model: job.model ?? undefined,
    requested_model: job.requestedModel === null || job.requestedModel === job.model ? undefined : job.requestedModel,
    attempt: job.attempt,
    max_attempts: job.maxAttempts,
    ...timesOf(job),
    ...waitingOf(job, now),
    progress: job.progress ?? undefined,
    progress_message: job.progressMessage ?? undefined,
    cancel_requested: whenTrue(job.isCancelRequested && job.status === 'running'),
    dead: whenTrue(job.isDead),
    input_tokens: job.inputTokens,
    output_tokens: job.outputTokens,
    ...showJobCost(job),
    ...errorOf(job),
    warnings: warningsOf(job),
    verdict: showVerdict(job.verdict),
    board_task_id: job.taskId ?? undefined,
    partial_output: partialOutput === '' ? undefined : partialOutput.slice(-200),
  };
}

/** @internal */
export function timesOf({ createdAt, startedAt, completedAt }: Job) {
  return { created_at: iso(createdAt), started_at: iso(startedAt), completed_at: iso(completedAt) };
}

/** What a pending job waits for: its time, or other jobs. @internal */
export function waitingOf({ status, runAt, unfinishedDependencies }: Job, now: number) {
  const isPending = status === 'pending';
  return {
    next_attempt_at: isPending && runAt > now ? iso(runAt) : undefined,
    waits_for: isPending && unfinishedDependencies > 0 ? unfinishedDependencies : undefined,
  };
}

/** @internal */
export function errorOf(job: Job): { error?: z.infer<typeof jobErrorOutput> } {
  if (job.errorCode === null) return {};
  return { error: { code: job.errorCode, message: cut(job.errorMessage ?? '', 1_000) } };
}

/** @internal */
export const warningsOf = ({ warnings }: Pick<Job, 'warnings'>): string[] | undefined =>
  warnings.length === 0 ? undefined : warnings;

/** Whether a job has a result or an error that the session which asked for it has not read. @internal */
export const isUnread = ({ isRead, status }: Job): boolean =>
  !isRead && (status === 'completed' || status === 'failed');

/** What `wait_for_tasks` says of each task. */
export const waitedJobOutput = jobStatusOutput
  .pick({
    task_id: true,
    status: true,
    error: true,
    progress: true,
    progress_message: true,
  })
  .extend({
    /** The first 1,000 characters of its answer, or the figures of its result; `get_task_result` has the rest. */
    result: z.string().optional(),
    /** All characters of the answer, where those are more. */
    total_chars: z.int().optional(),
  });

/** @internal */
export function showWaitedJob(job: Job, output: string): z.infer<typeof waitedJobOutput> {
  const { task_id, status, error, progress, progress_message } = showJobStatus(job);
  if (!hasEnded(job.status)) return { task_id, status, error, progress, progress_message };
  const isOwn = output !== '' || job.type === 'llm';
  const text = isOwn ? output : asText(job.result);
  const shown = isOwn ? output : asText(briefResult(withoutSecondNames(job.type, job.result), waitedResultSize).result);
  const answer = {
    result: shown === '' ? undefined : shown.slice(0, waitedResultSize),
    total_chars: text.length > waitedResultSize ? text.length : undefined,
  };
  return { task_id, status, error, ...answer };
}

const waitedResultSize = 1_000;

export const briefJobOutput = z.strictObject({
  task_id: z.string(),
  type: z.string().optional(),
  status: jobStatus,
  description: z.string(),
  model: z.string().optional(),
  created_at: z.string(),
  unread: mark,
});

/** A background task on a page, which may say once what most have. */
export const listedTaskOutput = briefJobOutput.partial({ status: true });

/** @internal */
export function showJobBriefly(job: Job, longestLine: number): z.infer<typeof briefJobOutput> {
  return {
    task_id: job.id,
    type: job.type === 'llm' ? undefined : job.type,
    status: job.status,
    description: cut(summarize(job.type, job.payload), longestLine),
    model: job.model ?? undefined,
    created_at: iso(job.createdAt),
    unread: whenTrue(isUnread(job)),
  };
}

/** What a job is about, on one line: its prompt, or the plain values of its payload. @internal */
export function summarize(type: string, payload: Json): string {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return type;
  if (typeof payload.prompt === 'string') return payload.prompt.replaceAll(/\s+/g, ' ').trim();
  const text = Object.entries(payload)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => `${name}=${value}`);
  return `${type} ${text.join(' ')}`;
}

export const attemptOutput = z.strictObject({
  attempt: z.int(),
  outcome: z.string(),
  error: z.string().optional(),
  model: z.string().optional(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
});

function showAttempt(attempt: Attempt): z.infer<typeof attemptOutput> {
  return {
    attempt: attempt.attempt,
    outcome: attempt.outcome ?? 'running',
    error: attempt.errorMessage === null ? undefined : cut(attempt.errorMessage, 300),
    model: attempt.model ?? undefined,
    started_at: iso(attempt.startedAt),
    ended_at: iso(attempt.endedAt),
  };
}

/** The last attempts, where there was more than one. @internal */
export function showAttempts(attempts: readonly Attempt[]): z.infer<typeof attemptOutput>[] | undefined {
  return attempts.length > 1 ? attempts.slice(-5).map(showAttempt) : undefined;
}

/** A job's result as text: itself, or as JSON. @internal */
export function asText(result: Json): string {
  if (result === null) return '';
  return typeof result === 'string' ? result : JSON.stringify(result);
}

export const submittedOutput = z.strictObject({
  job_id: z.string(),
  status: jobStatus,
  /** The idempotency key was known: this is the job of the earlier call. */
  repeated: mark,
  warnings: z.array(z.string()).optional(),
});

export type ShownSubmission = z.infer<typeof submittedOutput>;

/** `submit_background_task`: the job under the name that its caller knows it by. */
export const submittedTaskOutput = z.strictObject({
  task_id: z.string(),
  status: jobStatus,
  /** The idempotency key was known: this is the task of the earlier call. */
  repeated: mark,
  warnings: z.array(z.string()).optional(),
});

export type ShownSubmittedTask = z.infer<typeof submittedTaskOutput>;

/** A file that a job has saved. */
export const artifactOutput = z.strictObject({
  name: z.string(),
  path: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
});

/** A job whole. */
export const jobOutput = z.strictObject({
  job_id: z.string(),
  type: z.string(),
  status: jobStatus,
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  priority: z.int(),
  /** Number of its latest attempt; 0 before the first. */
  attempt: z.int(),
  /** Of a pending job, why it is not at work yet. */
  why: z.string().optional(),
  /** Of a pending job that waits for its time. */
  run_at: z.string().optional(),
  depends_on: z.array(z.string()).optional(),
  /** Its process vanished too often; `retry_task` runs it again. */
  dead: mark,
  /** 0 to 1, when its agent says. */
  progress: z.number().optional(),
  progress_message: z.string().optional(),
  /** What its agent returned; null until it has completed. */
  result: z.custom<Json>().optional(),
  /** Sizes of the parts of a long result that are not shown; `fields` or `get_task_result` reads them. */
  left_out: z.record(z.string(), z.string()).optional(),
  /** What the model has answered: the beginning of it, when `answer_cut` says how to read on. */
  answer: z.string().optional(),
  answer_cut: z.string().optional(),
  error: jobErrorOutput.nullable(),
  warnings: z.array(z.string()).optional(),
  metadata: jsonObject,
  /** Files that it saved. */
  artifacts: z.array(artifactOutput).optional(),
  /** The end of its log, oldest first. */
  logs: z.array(
    z.strictObject({
      at: z.string(),
      level: z.string(),
      message: z.string(),
      /** What was logged with it; a string in place of what is too long. */
      fields: z.custom<Json>().optional(),
    }),
  ),
  attempts: z.array(attemptOutput).optional(),
});

/** A job whole. Times are ISO 8601 in UTC. */
export type ShownJob = z.infer<typeof jobOutput>;

/** A longer result is shown in part, so that one status does not fill a model's context; more when it is asked for. */
const longestResult = { usual: 3_000, asked: 20_000 };
const longestAnswer = 4_000;

/** @internal */
export interface JobRecords {
  logs: readonly LogEntry[];
  attempts: readonly Attempt[];
  artifacts: readonly StoredArtifact[];
  /** What it has put out so far; '' unless given. */
  output?: string;
  /** Ids of the jobs that it depends on. */
  dependsOn?: readonly string[];
  /** Why it is not at work yet. */
  why?: string | undefined;
  /** The only parts of the result that are wanted. */
  fields?: readonly string[] | undefined;
}

/**
 * The whole result of a job that was shown: the tool cuts a long one, and has what stands there under two names once.
 *
 * @internal
 */
export async function wholeResultOf(
  { job_id, type, result = null, left_out }: Pick<ShownJob, 'job_id' | 'type' | 'result' | 'left_out'>,
  jobs: { get(id: string): Promise<Job> },
): Promise<Json> {
  const isWhole = result === null || (type === 'llm' && left_out === undefined);
  return isWhole ? result : (await jobs.get(job_id)).result;
}

/** @internal */
export function showJob(job: Job, records: JobRecords): ShownJob {
  const { logs, attempts, artifacts, dependsOn = [], why, output = '', fields } = records;
  const { result, leftOut } = fields
    ? briefResult(partsOf(job.result, fields), longestResult.asked)
    : briefResult(withoutSecondNames(job.type, job.result), longestResult.usual);
  return {
    job_id: job.id,
    type: job.type,
    status: job.status,
    ...timesOf(job),
    priority: job.priority,
    attempt: job.attempt,
    why,
    run_at: job.status === 'pending' && job.runAt > job.createdAt ? iso(job.runAt) : undefined,
    depends_on: dependsOn.length === 0 ? undefined : [...dependsOn],
    dead: whenTrue(job.isDead),
    progress: job.progress ?? undefined,
    progress_message: job.progressMessage ?? undefined,
    result,
    left_out: leftOut,
    ...(job.type === 'llm' ? answerOf(job, output) : {}),
    error: errorOf(job).error ?? null,
    warnings: warningsOf(job),
    metadata: job.metadata,
    artifacts: artifacts.length === 0 ? undefined : [...artifacts],
    logs: logs.map(showLogEntry),
    attempts: showAttempts(attempts),
  };
}

/** The stack of an error is worth more room than what agents say on their way. */
const longestFields = { error: 2_000, usual: 200 };

function showLogEntry({ at, level, message, fields }: LogEntry): ShownJob['logs'][number] {
  const most = level === 'error' ? longestFields.error : longestFields.usual;
  const shown = fields === null ? undefined : fields.length <= most ? readJson<Json>(fields) : cut(fields, most);
  return { at: iso(at), level, message: cut(message, 200), fields: shown };
}

function answerOf({ id }: Job, output: string): Pick<ShownJob, 'answer' | 'answer_cut'> {
  if (output === '') return {};
  if (output.length <= longestAnswer) return { answer: output };
  const rest = `${output.length - longestAnswer} of ${output.length} characters follow`;
  const answer_cut = `${rest}. Call get_task_result with task_id ${id} and offset ${longestAnswer}.`;
  return { answer: output.slice(0, longestAnswer), answer_cut };
}

/** A job in a list. */
export const listedJobOutput = z.strictObject({
  job_id: z.string(),
  type: z.string(),
  status: jobStatus,
  /** Its payload in a few words. */
  about: z.string(),
  created_at: z.string(),
  completed_at: z.string().nullable(),
  /** Its process vanished too often; `retry_task` runs it again. */
  dead: mark,
});

export type ShownListedJob = z.infer<typeof listedJobOutput>;

/** @internal */
export function showListedJob(job: Job, longestLine = 50): ShownListedJob {
  return {
    job_id: job.id,
    type: job.type,
    status: job.status,
    about: cut(summarize(job.type, job.payload), Math.min(longestLine, 50)),
    created_at: iso(job.createdAt),
    completed_at: iso(job.completedAt),
    dead: whenTrue(job.isDead),
  };
}
