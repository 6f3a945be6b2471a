import type { z } from 'zod';
import type { jobResultOutput, ShownJobStatus } from './job.js';

/** A job's status as lines, beginning with those of the earlier server. @internal */
export function jobStatusText(job: ShownJobStatus): string {
  const { input_tokens, output_tokens, attempt, max_attempts } = job;
  const times = [
    `created ${job.created_at}`,
    ...(job.started_at === null ? [] : [`started ${job.started_at}`]),
    ...(job.completed_at === null ? [] : [`ended ${job.completed_at}`]),
    ...(job.next_attempt_at === undefined ? [] : [`next try ${job.next_attempt_at}`]),
  ];
  const progress = [
    ...(job.progress === undefined ? [] : [`${Math.round(job.progress * 100)} %`]),
    ...(job.progress_message === undefined ? [] : [job.progress_message]),
  ];
  return (
    [
      `Task: ${job.description}`,
      `Status: ${job.status}${job.cancel_requested ? ' (being cancelled)' : ''}`,
      ...(job.error ? [`Error: ${job.error.message}`] : []),
      ...(job.model === undefined ? [] : [`Model: ${job.model}`]),
      `Times: ${times.join(', ')}`,
      ...(attempt > 1 ? [`Attempt: ${attempt} of ${max_attempts}`] : []),
      ...(job.waits_for === undefined ? [] : [`Waits for: ${job.waits_for} other jobs`]),
      ...(progress.length === 0 ? [] : [`Progress: ${progress.join(', ')}`]),
      `Tokens: ${input_tokens} in, ${output_tokens} out`,
      ...(job.partial_output === undefined ? [] : [`Newest text: ${job.partial_output}`]),
    ].join('\n') + warningLines(job.warnings)
  );
}

/** A result as text, beginning as that of the earlier server. One that is cut says so, and how to go on. @internal */
export function jobResultText(shown: z.infer<typeof jobResultOutput>): string {
  const { task_id, status, result, error, next_offset, total_chars } = shown;
  const text =
    status === 'completed'
      ? `RESULT:\n${'='.repeat(60)}\n${result}`
      : `Task is ${status}.${error ? ` ${error.message}` : ''}${result === '' ? '' : `\nSo far:\n${result}`}`;
  if (next_offset === undefined) return text;
  const rest = total_chars - next_offset;
  return `${text}\n\n[Cut: ${rest} of ${total_chars} characters follow. Call get_task_result with task_id ${task_id} and offset ${next_offset}.]`;
}

/** Warnings as lines below a text. @internal */
export const warningLines = (warnings: readonly string[] = []): string =>
  warnings.map((warning) => `\nWarning: ${warning}`).join('');
