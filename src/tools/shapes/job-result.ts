import { z } from 'zod';
import type { Json } from '../../base/json.js';
import type { Job } from '../../core/jobs/job.js';
import { jobStatuses } from '../../core/jobs/job.js';
import { iso, mark } from '../call/fields.js';
import { errorOf, jobErrorOutput, warningsOf } from './job.js';
import { showVerdict, verdictOutput } from './verdict.js';
import { type ModelResult, workOutput } from './worktree.js';

/** A part of what a background task has put out. */
export const jobResultOutput = z.strictObject({
  task_id: z.string(),
  status: z.enum(jobStatuses),
  result: z.string(),
  /** The result of a job that is not plain text, where it is short enough; `result` has its JSON in parts otherwise. */
  data: z.custom<Json>().optional(),
  /** How long it is as JSON, where it is too long and `result` has the job's own text. */
  data_chars: z.int().optional(),
  partial: mark,
  total_chars: z.int(),
  next_offset: z.int().optional(),
  model: z.string().optional(),
  requested_model: z.string().optional(),
  stop_reason: z.string().optional(),
  usage: z.strictObject({ input_tokens: z.int(), output_tokens: z.int() }),
  completed_at: z.string().nullable(),
  error: jobErrorOutput.optional(),
  warnings: z.array(z.string()).optional(),
  /** How the answer meets the acceptance criteria of its task on the board. */
  verdict: verdictOutput.optional(),
  worktree: workOutput.optional(),
});

/** A job with the characters of its output from `offset` on, `most` at most. @internal */
export function showJobResult(
  job: Job,
  output: string,
  { offset, most }: { offset: number; most: number },
): z.infer<typeof jobResultOutput> {
  const isModelCall = job.type === 'llm';
  const data = isModelCall || job.result === null ? undefined : job.result;
  const json = data === undefined ? '' : JSON.stringify(data);
  const isWhole = offset === 0 && json.length <= most;
  const text = output === '' && !isWhole ? json : output;
  const part = text.slice(offset, offset + most);
  const end = offset + part.length;
  const { stop_reason, worktree } = isModelCall ? ((job.result as ModelResult | null) ?? {}) : {};
  return {
    task_id: job.id,
    status: job.status,
    result: part,
    data: isWhole ? data : undefined,
    data_chars: isWhole || output === '' || data === undefined ? undefined : json.length,
    partial: job.status === 'completed' ? undefined : true,
    total_chars: text.length,
    next_offset: end < text.length ? end : undefined,
    model: job.model ?? undefined,
    requested_model: job.requestedModel ?? undefined,
    stop_reason,
    usage: { input_tokens: job.inputTokens, output_tokens: job.outputTokens },
    completed_at: iso(job.completedAt),
    ...errorOf(job),
    warnings: warningsOf(job),
    verdict: showVerdict(job.verdict),
    worktree,
  };
}
