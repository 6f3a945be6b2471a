import type { z } from 'zod';
import { dollars, microsOf } from '../../base/money.js';
import type { ShownCost } from './cost.js';
import type { attemptOutput, listedTaskOutput, ShownJobStatus } from './job.js';
import type { jobResultOutput } from './job-result.js';
import type { ShownVerdict } from './verdict.js';
import type { workOutput } from './worktree.js';

/** A job's status as lines, beginning with those of the earlier server. @internal */
export function jobStatusText(job: ShownJobStatus & { attempts?: ShownAttempt[] | undefined }): string {
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
      `Status: ${job.status}${job.cancel_requested ? ' (being cancelled)' : ''}${job.dead ? ' (its process vanished too often)' : ''}`,
      ...(job.error ? [`Error: ${job.error.code}: ${job.error.message}`] : []),
      ...modelLines(job),
      `Times: ${times.join(', ')}`,
      ...(attempt > 1 ? [`Attempt: ${attempt} of ${max_attempts}`] : []),
      ...(job.attempts ?? []).map(attemptLine),
      ...(job.waits_for === undefined ? [] : [`Waits for: ${job.waits_for} other jobs`]),
      ...(progress.length === 0 ? [] : [`Progress: ${progress.join(', ')}`]),
      `Tokens: ${input_tokens} in, ${output_tokens} out${costWords(job)}`,
      ...(job.board_task_id === undefined ? [] : [`Task on the board: ${job.board_task_id}`]),
      ...verdictLines(job.verdict),
      ...(job.partial_output === undefined ? [] : [`Newest text: ${job.partial_output}`]),
    ].join('\n') + warningLines(job.warnings)
  );
}

/** `, $0.0042`; nothing where no call was made. @internal */
export function costWords({ cost_usd: cost, unpriced_calls: unpriced }: ShownCost): string {
  if (cost === undefined) return '';
  if (cost === null) return ', cost unknown';
  return `, ${dollars(microsOf(cost))}${unpriced === undefined ? '' : ` and ${unpriced} calls of unknown cost`}`;
}

type ShownAttempt = z.infer<typeof attemptOutput>;

function attemptLine({ attempt, outcome, error, model, ended_at }: ShownAttempt): string {
  const by = model === undefined ? '' : ` with ${model}`;
  return `  ${attempt}: ${outcome}${by}${ended_at === null ? '' : `, ended ${ended_at}`}${error ? `: ${error}` : ''}`;
}

function modelLines({
  model,
  requested_model: wanted,
}: {
  model?: string | undefined;
  requested_model?: string | undefined;
}) {
  if (model === undefined) return wanted === undefined ? [] : [`Model: ${wanted}`];
  return [`Model: ${model}${wanted === undefined || wanted === model ? '' : ` (asked for: ${wanted})`}`];
}

function verdictLines(verdict: ShownVerdict | undefined): string[] {
  if (!verdict) return [];
  const missing = verdict.missing.map((one) => `Missing: ${one}`);
  return [`Verdict: score ${verdict.score}, ${verdict.passed ? 'passed' : 'not passed'}`, ...missing];
}

/** A result as text, beginning as that of the earlier server. One that is cut says so, and how to go on. @internal */
export function jobResultText(shown: z.infer<typeof jobResultOutput>): string {
  const { task_id, status, result, data, error, next_offset, total_chars } = shown;
  const answer = result === '' && data !== undefined ? JSON.stringify(data) : result;
  const text =
    status === 'completed'
      ? `RESULT:\n${'='.repeat(60)}\n${answer}`
      : `Task is ${status}.${error ? ` ${error.code}: ${error.message}` : ''}${answer === '' ? '' : `\nSo far:\n${answer}`}`;
  const rest =
    next_offset === undefined
      ? ''
      : `\n\n[Cut: ${total_chars - next_offset} of ${total_chars} characters follow. Call get_task_result with task_id ${task_id} and offset ${next_offset}.]`;
  return `${text}${rest}\n\n${resultFacts(shown).join('\n')}${warningLines(shown.warnings)}`;
}

const worktreeLine = ({ path, branch, files_changed }: z.infer<typeof workOutput>): string =>
  `Worktree: ${path} (branch ${branch}, ${files_changed} ${files_changed === 1 ? 'file' : 'files'} changed). Next: finish_worktree.`;

function resultFacts(shown: z.infer<typeof jobResultOutput>): string[] {
  const { usage, stop_reason, completed_at, result, data } = shown;
  return [
    ...modelLines(shown),
    `Tokens: ${usage.input_tokens} in, ${usage.output_tokens} out`,
    ...(completed_at === null ? [] : [`Ended: ${completed_at}`]),
    ...(stop_reason === undefined || stop_reason === 'end_turn' ? [] : [`Stop reason: ${stop_reason}`]),
    ...(result !== '' && data !== undefined ? [`Data: ${JSON.stringify(data)}`] : []),
    ...(shown.worktree ? [worktreeLine(shown.worktree)] : []),
    ...verdictLines(shown.verdict),
  ];
}

interface JobPage {
  tasks: z.infer<typeof listedTaskOutput>[];
  count: number;
  total: number;
  defaults?: Record<string, unknown> | undefined;
}

/** A page of background tasks as lines. @internal */
export function jobListText({ tasks, count, total, defaults }: JobPage): string {
  if (count === 0) return 'No tasks found';
  const lines = tasks.map((task): string => {
    const { task_id, status, description, model, created_at, unread } = { ...defaults, ...task };
    return `${task_id} ${status}${unread ? ', unread' : ''} ${description} (${created_at}${model ? `, ${model}` : ''})`;
  });
  return `Tasks (${count === total ? count : `${count} of ${total}`}):\n${lines.join('\n')}`;
}

/** A line for a submission whose idempotency key was known. @internal */
export const repeatedLine = ({ repeated }: { repeated?: true | undefined }): string =>
  repeated ? '\nIt is the one of an earlier call with this key.' : '';

/** Warnings as lines below a text. @internal */
export const warningLines = (warnings: readonly string[] = []): string =>
  warnings.map((warning) => `\nWarning: ${warning}`).join('');
