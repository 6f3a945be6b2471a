import { z } from 'zod';
import type { Json } from '../../base/json.js';
import { cut } from '../../base/text.js';
import type { Job } from '../../core/jobs/job.js';
import type { Attempt } from '../../core/jobs/read-jobs.js';
import { iso } from '../call/fields.js';

/** How a background task stands, without its text. */
export const jobStatusOutput = z.object({
  task_id: z.string(),
  status: z.string(),
  description: z.string(),
  model: z.string().optional(),
  requested_model: z.string().optional(),
  attempt: z.int(),
  max_attempts: z.int(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  next_attempt_at: z.string().optional(),
  waits_for: z.int().optional().describe('How many tasks it depends on are not done.'),
  progress: z.number().optional(),
  progress_message: z.string().optional(),
  cancel_requested: z.boolean().optional(),
  dead: z.boolean().optional().describe('Its runner vanished too often; retry_task tries again.'),
  input_tokens: z.int(),
  output_tokens: z.int(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  warnings: z.array(z.string()).optional(),
  board_task_id: z.int().optional(),
  partial_output: z.string().optional().describe('The last 200 characters that have arrived.'),
});

export type ShownJobStatus = z.input<typeof jobStatusOutput>;

export function showJobStatus(job: Job, partialOutput = '', now = 0): ShownJobStatus {
  const isWaiting = job.status === 'pending' && job.runAt > now;
  return {
    task_id: job.id,
    status: job.status,
    description: cut(summarize(job.type, job.payload), 80),
    model: job.model ?? undefined,
    requested_model: job.requestedModel === null || job.requestedModel === job.model ? undefined : job.requestedModel,
    attempt: job.attempt,
    max_attempts: job.maxAttempts,
    created_at: iso(job.createdAt),
    started_at: iso(job.startedAt),
    completed_at: iso(job.completedAt),
    next_attempt_at: isWaiting ? iso(job.runAt) : undefined,
    waits_for: job.status === 'pending' && job.unfinishedDependencies > 0 ? job.unfinishedDependencies : undefined,
    progress: job.progress ?? undefined,
    progress_message: job.progressMessage ?? undefined,
    cancel_requested: job.isCancelRequested && job.status === 'running' ? true : undefined,
    dead: job.isDead ? true : undefined,
    input_tokens: job.inputTokens,
    output_tokens: job.outputTokens,
    ...errorOf(job),
    warnings: job.warnings.length === 0 ? undefined : job.warnings,
    board_task_id: job.taskId ?? undefined,
    partial_output: partialOutput === '' ? undefined : partialOutput.slice(-200),
  };
}

export function errorOf(job: Job): { error?: { code: string; message: string } } {
  if (job.errorCode === null) return {};
  return { error: { code: job.errorCode, message: cut(job.errorMessage ?? '', 1_000) } };
}

export const briefJobOutput = z.object({
  task_id: z.string(),
  type: z.string().optional(),
  status: z.string(),
  description: z.string(),
  model: z.string().optional(),
  created_at: z.string(),
  unread: z.boolean().optional(),
});

export function showJobBriefly(job: Job): z.input<typeof briefJobOutput> {
  const isUnread = !job.isRead && (job.status === 'completed' || job.status === 'failed');
  return {
    task_id: job.id,
    type: job.type === 'llm' ? undefined : job.type,
    status: job.status,
    description: cut(summarize(job.type, job.payload), 60),
    model: job.model ?? undefined,
    created_at: iso(job.createdAt),
    unread: isUnread ? true : undefined,
  };
}

/** What a job is about, in a line: its prompt, or the plain values of its payload. */
export function summarize(type: string, payload: Json): string {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return type;
  if (typeof payload.prompt === 'string') return payload.prompt.replaceAll(/\s+/g, ' ').trim();
  const text = Object.entries(payload)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => `${name}=${value}`);
  return `${type} ${text.join(' ')}`;
}

export const attemptOutput = z.object({
  attempt: z.int(),
  outcome: z.string(),
  error: z.string().optional(),
  model: z.string().optional(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
});

export function showAttempt(attempt: Attempt): z.input<typeof attemptOutput> {
  return {
    attempt: attempt.attempt,
    outcome: attempt.outcome ?? 'running',
    error: attempt.errorMessage === null ? undefined : cut(attempt.errorMessage, 300),
    model: attempt.model ?? undefined,
    started_at: iso(attempt.startedAt),
    ended_at: iso(attempt.endedAt),
  };
}
