import { z } from 'zod';
import type { Json } from '../../base/json.js';
import type { Job } from '../../core/jobs/job.js';
import { jobStatuses } from '../../core/jobs/job.js';
import { iso, mark } from '../call/fields.js';
import { briefResult } from './brief-result.js';
import { asText, errorOf, jobErrorOutput, warningsOf } from './job.js';
import { showVerdict, verdictOutput } from './verdict.js';
import { type ModelResult, workOutput } from './worktree.js';

/** A part of what a background task has put out. */
export const jobResultOutput = z.strictObject({
  task_id: z.string(),
  status: z.enum(jobStatuses),
  result: z.string(),
  /** What the result of a job says beside its text. */
  data: z.custom<Json>().optional(),
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
  const { text, data } = isModelCall ? { text: output, data: undefined } : textOf(job.result, output);
  const part = text.slice(offset, offset + most);
  const end = offset + part.length;
  const { stop_reason, worktree } = isModelCall ? ((job.result as ModelResult | null) ?? {}) : {};
  return {
    task_id: job.id,
    status: job.status,
    result: part,
    data,
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

const longestData = 3_000;

/**
 * A job's text: what it has put out, with its result beside it as far as that is short and says something else; or, where
 * it puts nothing out, the result itself as JSON.
 */
function textOf(result: Json, output: string): { text: string; data: Json | undefined } {
  if (output === '') return { text: asText(result), data: undefined };
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return { text: output, data: undefined };
  const others = Object.fromEntries(Object.entries(result).filter(([, value]) => value !== output));
  return { text: output, data: briefResult(others, longestData).result };
}
