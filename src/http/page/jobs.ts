import { z } from 'zod';
import type { Json } from '../../base/json.js';
import { usdOf } from '../../base/money.js';
import { cut } from '../../base/text.js';
import { type Job, jobStatuses } from '../../core/jobs/job.js';
import type { Attempt, LogEntry } from '../../core/jobs/read-jobs.js';
import { withoutSecondNames } from '../../core/jobs/second-names.js';
import type { LinkedJob as LinkedJobRow } from '../../core/overview/job-board.js';
import { iso, jsonObject, mark, whenTrue } from '../../tools/call/fields.js';
import { costFields, showJobCost } from '../../tools/shapes/cost.js';
import {
  artifactOutput,
  errorOf,
  isUnread,
  type JobRecords,
  jobErrorOutput,
  summarize,
  timesOf,
  waitingOf,
} from '../../tools/shapes/job.js';
import { withNames } from './names.js';

const status = z.enum(jobStatuses);

export type JobStatus = z.infer<typeof status>;

/** A job as the page's lists show it; fields that say nothing are left out. Times are ISO 8601. */
export const jobSummary = z.strictObject({
  id: z.string(),
  type: z.string(),
  status,
  /** What people call it: its task's title, the step of its relay, the first line of its prompt. */
  name: z.string(),
  /** Its prompt, cut, or the plain values of its payload. */
  about: z.string(),
  /** What it works on, apart from its task. */
  task_id: z.int().nullable(),
  goal_id: z.int().nullable(),
  relay_id: z.string().optional(),
  /** How many jobs its relay has, where it stands for all of them. */
  relay_jobs: z.int().optional(),
  project: z.string().optional(),
  model: z.string().optional(),
  requested_model: z.string().optional(),
  attempt: z.int(),
  max_attempts: z.int(),
  dead: mark,
  unread: mark,
  cancel_requested: mark,
  /** 0 to 1. */
  progress: z.number().optional(),
  progress_message: z.string().optional(),
  waits_for: z.int().optional(),
  next_attempt_at: z.string().optional(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  ...costFields,
  error: jobErrorOutput.optional(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
});

export type JobSummary = z.infer<typeof jobSummary>;

export function showJobSummary(job: Job, name: string, now: number, relayJobs?: number): JobSummary {
  return {
    id: job.id,
    type: job.type,
    status: job.status,
    name,
    about: cut(summarize(job.type, job.payload), 160),
    task_id: job.taskId,
    goal_id: job.goalId,
    relay_id: relayOf(job.payload),
    relay_jobs: relayJobs,
    project: job.project === '' ? undefined : job.project,
    model: job.model ?? undefined,
    requested_model: job.requestedModel ?? undefined,
    attempt: job.attempt,
    max_attempts: job.maxAttempts,
    dead: whenTrue(job.isDead),
    unread: whenTrue(isUnread(job)),
    cancel_requested: whenTrue(job.isCancelRequested && job.status === 'running'),
    progress: job.progress ?? undefined,
    progress_message: job.progressMessage ?? undefined,
    ...waitingOf(job, now),
    input_tokens: job.inputTokens,
    output_tokens: job.outputTokens,
    ...showJobCost(job),
    ...errorOf(job),
    ...timesOf(job),
  };
}

function relayOf(payload: Json): string | undefined {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined;
  return typeof payload.pipeline_id === 'string' ? payload.pipeline_id : undefined;
}

/** So many rows of the list, where a relay is one, and the jobs that they stand for. */
const rowsAndJobs = z.strictObject({ rows: z.int(), jobs: z.int() });

/** `jobs`: how many there are by status under a filter, and a page of them. */
export const jobPage = z.strictObject({
  counts: z.record(status, rowsAndJobs),
  dead: rowsAndJobs,
  unread: rowsAndJobs,
  /** What the list can be filtered by. */
  types: z.array(z.string()),
  projects: z.array(z.string()),
  jobs: z.array(jobSummary),
  /** On all pages. */
  total: z.int(),
  ...withNames,
});

export type JobPage = z.infer<typeof jobPage>;

const linkedJob = z.strictObject({ id: z.string(), type: z.string(), status });

export type LinkedJob = z.infer<typeof linkedJob>;

const jobAttempt = z.strictObject({
  attempt: z.int(),
  outcome: z.string(),
  error_code: z.string().nullable(),
  error: z.string().nullable(),
  model: z.string().nullable(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
});

export type JobAttempt = z.infer<typeof jobAttempt>;

const jobLogEntry = z.strictObject({
  id: z.int(),
  at: z.string(),
  level: z.string(),
  message: z.string(),
  fields: jsonObject.optional(),
});

export type JobLogEntry = z.infer<typeof jobLogEntry>;

/** `job`: a job in full, except its output. */
export const wholeJob = jobSummary.extend({
  payload: z.custom<Json>().optional(),
  /** The beginning of a payload too long to show, as JSON, and its length. */
  payload_cut: z.string().optional(),
  payload_chars: z.int().optional(),
  metadata: jsonObject,
  priority: z.int(),
  run_at: z.string(),
  timeout_seconds: z.int(),
  token_budget: z.int().nullable(),
  budget_usd: z.number().optional(),
  crashes: z.int(),
  submitted_by: z.string().nullable(),
  /** The run that it is a part of. */
  run_id: z.string().nullable(),
  result: z.custom<Json>(),
  warnings: z.array(z.string()),
  depends_on: z.array(linkedJob),
  dependents: z.array(linkedJob),
  attempts: z.array(jobAttempt),
  artifacts: z.array(artifactOutput),
  logs: z.array(jobLogEntry),
  ...withNames,
});

export type WholeJob = z.infer<typeof wholeJob>;

/** A prompt or a payload longer than this is cut. */
const longestPayload = 200_000;

export interface WholeJobRecords extends JobRecords {
  links: { before: LinkedJobRow[]; after: LinkedJobRow[] };
  name: string;
}

export function showWholeJob(job: Job, records: WholeJobRecords, now: number): WholeJob {
  const payload = JSON.stringify(job.payload);
  return {
    ...showJobSummary(job, records.name, now),
    ...(payload.length > longestPayload
      ? { payload_cut: payload.slice(0, longestPayload), payload_chars: payload.length }
      : { payload: job.payload }),
    metadata: job.metadata,
    priority: job.priority,
    run_at: iso(job.runAt),
    timeout_seconds: job.timeoutSeconds,
    token_budget: job.tokenBudget,
    budget_usd: job.budgetMicros === null ? undefined : usdOf(job.budgetMicros),
    crashes: job.crashes,
    submitted_by: job.submittedBy,
    run_id: job.parentId,
    result: withoutSecondNames(job.type, job.result),
    warnings: job.warnings,
    depends_on: records.links.before,
    dependents: records.links.after,
    attempts: records.attempts.map(showAttempt),
    artifacts: [...records.artifacts],
    logs: records.logs.map(showLogEntry),
  };
}

function showAttempt(attempt: Attempt): JobAttempt {
  return {
    attempt: attempt.attempt,
    outcome: attempt.outcome ?? 'running',
    error_code: attempt.errorCode,
    error: attempt.errorMessage,
    model: attempt.model,
    input_tokens: attempt.inputTokens,
    output_tokens: attempt.outputTokens,
    started_at: iso(attempt.startedAt),
    ended_at: iso(attempt.endedAt),
  };
}

function showLogEntry({ id, at, level, message, fields }: LogEntry): JobLogEntry {
  return { id, at: iso(at), level, message, ...(fields === null ? {} : { fields: JSON.parse(fields) }) };
}

/** `job_output`: a part of the output of a job. */
export const jobOutputPart = z.strictObject({
  status,
  attempt: z.int(),
  /** The text is of an earlier attempt, and will be replaced. */
  earlier: z.boolean(),
  text: z.string(),
  total_chars: z.int(),
});

export type JobOutputPart = z.infer<typeof jobOutputPart>;

/** `attempt_outputs`: what the attempts of a job have put out; their first 200,000 characters. */
export const attemptOutputs = z.strictObject({
  attempts: z.array(z.strictObject({ attempt: z.int(), output: z.string() })),
});

export type AttemptOutputs = z.infer<typeof attemptOutputs>;

/** `models`: the default model, and the state of each provider. */
export const modelList = z.strictObject({
  default: z.string().nullable(),
  providers: z.array(
    z.strictObject({
      id: z.string(),
      configured: z.boolean(),
      model: z.string().optional(),
      /** What to set to use it. */
      fix: z.string().optional(),
    }),
  ),
});

export type ModelList = z.infer<typeof modelList>;
