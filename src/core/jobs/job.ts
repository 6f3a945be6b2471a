import type { EpochMs } from '../../base/clock.js';
import { type Json, type JsonObject, readJson } from '../../base/json.js';
import type { Cost, Micros } from '../../base/money.js';
import type { FailurePolicy } from '../tasks/task.js';
import { toVerdict, type Verdict } from '../tasks/verdict.js';
import type { Lane } from './lane.js';
import { readResult } from './second-names.js';

export const jobStatuses = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** Type of the job that stands for a run of a goal. It has no runner, and is `running` as long as its jobs make headway. */
export const runGoal = 'run_goal';

export interface JobRow {
  seq: number;
  id: string;
  type: string;
  status: JobStatus;
  payload: string;
  metadata: string;
  priority: number;
  requires: string | null;
  /** What the worker must have that takes it. */
  needs: string | null;
  concurrency: number | null;
  /** Of the jobs with one key at most `concurrency_limit` run at once. */
  concurrency_key: string | null;
  concurrency_limit: number | null;
  /** While it is pending or running, no other job of its project has this key. */
  unique_key: string | null;
  lane: Lane;
  /** Its place in the queue; see `queueAt`. */
  queue_at: number;
  run_at: number;
  /** 0: due at once. Otherwise when it is due, in milliseconds since the boot `run_boot_id`; null: `run_at` says. */
  run_tick: number | null;
  run_boot_id: string | null;
  /** JSON array of the ids of the breakers that it waits for; null when it waits for none. */
  blocked_by: string | null;
  unfinished_dependencies: number;
  /** What becomes of it when a job that it depends on does not complete. */
  on_dependency_failure: FailurePolicy;
  timeout_seconds: number;
  attempt: number;
  max_attempts: number;
  tries: number;
  crashes: number;
  is_dead: number;
  runner_id: string | null;
  attempt_token: string | null;
  lease_expires_at: number | null;
  lease_expires_tick: number | null;
  lease_boot_id: string | null;
  cancel_requested_at: number | null;
  progress: number | null;
  progress_message: string | null;
  requested_model: string | null;
  model: string | null;
  input_tokens: number;
  output_tokens: number;
  token_budget: number | null;
  cost_micros: Micros;
  unpriced_calls: number;
  budget_micros: Micros | null;
  idempotency_key: string | null;
  output: string | null;
  result: string | null;
  /** As JSON: `Verdict`. */
  verdict: string | null;
  warnings: string;
  error_code: string | null;
  error_message: string | null;
  task_id: number | null;
  task_claim_token: number | null;
  goal_id: number | null;
  parent_id: string | null;
  /** Names the jobs that were submitted together over a grid of parameters. */
  sweep: string | null;
  project: string;
  submitted_by: string | null;
  read_at: number | null;
  created_at: number;
  updated_at: number;
  started_at: number | null;
  completed_at: number | null;
  /** Of a job that was just claimed: whether there is a breaker of its type, which an attempt must ask. */
  is_guarded?: number | boolean;
}

export interface Job {
  id: string;
  type: string;
  status: JobStatus;
  payload: Json;
  metadata: JsonObject;
  priority: number;
  /** Not started before this time: as submitted, or the end of the delay before the next try. */
  runAt: EpochMs;
  unfinishedDependencies: number;
  timeoutSeconds: number;
  attempt: number;
  maxAttempts: number;
  tries: number;
  crashes: number;
  /** Its runners were lost too often. It stays failed until someone retries it. */
  isDead: boolean;
  isCancelRequested: boolean;
  /** 0 to 1. */
  progress: number | null;
  progressMessage: string | null;
  requestedModel: string | null;
  model: string | null;
  inputTokens: number;
  outputTokens: number;
  tokenBudget: number | null;
  /** Of its calls of models that have ended. */
  cost: Cost;
  /** The most that its calls may cost. */
  budgetMicros: Micros | null;
  result: Json;
  /** The verdict on its last answer, where its task on the board has acceptance criteria. */
  verdict: Verdict | null;
  warnings: string[];
  errorCode: string | null;
  errorMessage: string | null;
  taskId: number | null;
  goalId: number | null;
  /** The run that made it. */
  parentId: string | null;
  /** The sweep that it is one of. */
  sweep: string | null;
  project: string;
  submittedBy: string | null;
  isRead: boolean;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  startedAt: EpochMs | null;
  completedAt: EpochMs | null;
}

/** Converts a row, without its output: that may be long, and `readOutput` reads it. */
export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    payload: readJson<Json>(row.payload),
    metadata: readJson<JsonObject>(row.metadata),
    priority: row.priority,
    runAt: row.run_at,
    unfinishedDependencies: row.unfinished_dependencies,
    timeoutSeconds: row.timeout_seconds,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    tries: row.tries,
    crashes: row.crashes,
    isDead: row.is_dead === 1,
    isCancelRequested: row.cancel_requested_at !== null,
    progress: row.progress,
    progressMessage: row.progress_message,
    requestedModel: row.requested_model,
    model: row.model,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    tokenBudget: row.token_budget,
    cost: { micros: row.cost_micros, unpriced: row.unpriced_calls },
    budgetMicros: row.budget_micros,
    result: readResult(row.type, row.result),
    verdict: toVerdict(row.verdict),
    warnings: readJson<string[]>(row.warnings),
    errorCode: row.error_code,
    errorMessage: row.error_message,
    taskId: row.task_id,
    goalId: row.goal_id,
    parentId: row.parent_id,
    sweep: row.sweep,
    project: row.project,
    submittedBy: row.submitted_by,
    isRead: row.read_at !== null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

/** The ids of sweeps begin so, which those of jobs never do. */
const sweepPrefix = 'sweep-';

export const sweepOf = (name: string): string => `${sweepPrefix}${name}`;

export const isSweep = (id: string): boolean => id.startsWith(sweepPrefix);

export function hasEnded(status: JobStatus): boolean {
  return status !== 'pending' && status !== 'running';
}
