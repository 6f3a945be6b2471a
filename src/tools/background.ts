import { z } from 'zod';
import { modelParams } from '../agents/llm.js';
import { cut } from '../base/text.js';
import { jobStatuses } from '../core/jobs/job.js';
import { retryLlmJob, submitLlmJob } from '../services/model-request.js';
import { defineTool } from './call/define-tool.js';
import { cursor, iso, jobId, limit, priority, scope, taskReference } from './call/fields.js';
import { fromCursor, rowsFor, toPage } from './call/page.js';
import { projectOf } from './call/project.js';
import { waitForJobs } from './call/wait-for-jobs.js';
import {
  attemptOutput,
  briefJobOutput,
  errorOf,
  jobStatusOutput,
  showAttempt,
  showJobBriefly,
  showJobStatus,
} from './shapes/job.js';

const model = z
  .string()
  .min(1)
  .max(200)
  .describe(
    'Such as claude-sonnet-5-5, opus, gemini-3.8-flash, ollama:llama3.2, claude-code:sonnet, custom:NAME; the configured ' +
      'default unless given. runtime_status says what is configured.',
  );

/** Background tasks: prompts that a language model works on in a process of their own. */
export const backgroundTools = [
  defineTool({
    name: 'submit_background_task',
    title: 'Submit a background task',
    effect: 'write',
    isEntry: true,
    isExternal: true,
    description:
      'Gives a prompt to a language model in a process of its own, which goes on when this session ends, and returns a ' +
      'task_id at once. The model sees only the prompt, and has no tools unless the config file grants some. Next: go on ' +
      'with other work, then wait_for_tasks or check_task_status, and get_task_result.',
    input: z.strictObject({
      task_description: z.string().min(1).max(2_000_000).describe('The prompt: all that the model needs to know.'),
      model: model.optional(),
      model_params: modelParams.optional(),
      system: z.string().max(200_000).optional().describe('System prompt.'),
      priority: priority.optional(),
      depends_on: z.array(jobId).max(100).optional().describe('Background tasks that must be completed first.'),
      fallback_models: z
        .array(model)
        .max(5)
        .optional()
        .describe('Asked in turn when the provider of the one before is failing, or its tries are spent.'),
      max_attempts: z
        .int()
        .min(1)
        .max(20)
        .optional()
        .describe('Tries on rate limits, server errors, network trouble or a lost process; 3 unless given.'),
      timeout_seconds: z.int().min(1).max(86_400).optional().describe('How long one try may take; 1,800 unless given.'),
      token_budget: z.int().min(1).max(1_000_000_000).optional().describe('Most tokens over all tries.'),
      idempotency_key: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('A name of your own: the same key again returns the same task.'),
      task_id: taskReference
        .optional()
        .describe('A task on the board: claimed now, and completed or failed with the result.'),
    }),
    output: z.object({
      task_id: z.string(),
      status: z.string(),
      repeated: z.boolean().optional(),
      warnings: z.array(z.string()).optional(),
    }),
    text: (output) =>
      `Task ID: ${output.task_id}\nStatus: ${output.status}\nCheck with: check_task_status('${output.task_id}')`,
    handler: async (input, { runtime, actor }) => {
      const { job, isRepeated } = await submitLlmJob(input, actor, runtime);
      return {
        task_id: job.id,
        status: job.status,
        repeated: isRepeated ? true : undefined,
        warnings: job.warnings.length === 0 ? undefined : job.warnings,
      };
    },
  }),

  defineTool({
    name: 'check_task_status',
    title: 'Check a background task',
    effect: 'read',
    description:
      'How a background task stands: pending, running, completed, failed or cancelled, with times, attempts, tokens, any ' +
      'error, and the end of what has arrived so far. Next: get_task_result when completed, wait_for_tasks to wait.',
    input: z.strictObject({ task_id: jobId }),
    output: jobStatusOutput.extend({ attempts: z.array(attemptOutput).optional() }),
    text: ({ description, status, error }) =>
      `Task: ${description}\nStatus: ${status}${error ? `\nError: ${error.message}` : ''}`,
    handler: async (input, { runtime }) => {
      const job = await runtime.jobs.get(input.task_id);
      const partial = job.status === 'completed' ? '' : await runtime.jobs.output(job.id);
      const attempts = await runtime.jobs.attempts(job.id);
      return {
        ...showJobStatus(job, partial, runtime.clock.now()),
        attempts: attempts.length > 1 ? attempts.slice(-5).map(showAttempt) : undefined,
      };
    },
  }),

  defineTool({
    name: 'get_task_result',
    title: 'Read a background result',
    effect: 'read',
    description:
      'The full answer of a background task, or what has arrived so far of one that is not done. Long answers come in ' +
      'parts: next_offset says where the next one starts.',
    input: z.strictObject({
      task_id: jobId,
      offset: z.int().min(0).max(1_000_000_000).optional().describe('Where to start, in characters; 0 unless given.'),
      max_chars: z.int().min(1).max(200_000).optional().describe('At most this many characters; 20,000 unless given.'),
    }),
    output: z.object({
      task_id: z.string(),
      status: z.string(),
      result: z.string(),
      data: z.unknown().optional().describe('The result of a job that is not plain text.'),
      partial: z.boolean().optional(),
      total_chars: z.int(),
      next_offset: z.int().optional(),
      model: z.string().optional(),
      requested_model: z.string().optional(),
      stop_reason: z.string().optional(),
      usage: z.object({ input_tokens: z.int(), output_tokens: z.int() }),
      completed_at: z.string().nullable(),
      error: z.object({ code: z.string(), message: z.string() }).optional(),
      warnings: z.array(z.string()).optional(),
    }),
    text: ({ status, result, error }) =>
      status === 'completed'
        ? `RESULT:\n${'='.repeat(60)}\n${result}`
        : `Task is ${status}.${error ? ` ${error.message}` : ''}${result === '' ? '' : `\nSo far:\n${result}`}`,
    handler: async (input, { runtime }) => {
      const job = await runtime.jobs.get(input.task_id);
      const output = await runtime.jobs.output(job.id);
      const start = input.offset ?? 0;
      const part = output.slice(start, start + (input.max_chars ?? 20_000));
      const end = start + part.length;
      if (job.status === 'completed' || job.status === 'failed') await runtime.jobs.markRead(job.id);
      const { stop_reason } = job.type === 'llm' ? ((job.result as { stop_reason?: string } | null) ?? {}) : {};
      return {
        task_id: job.id,
        status: job.status,
        result: part,
        data: job.type === 'llm' || job.result === null ? undefined : job.result,
        partial: job.status === 'completed' ? undefined : true,
        total_chars: output.length,
        next_offset: end < output.length ? end : undefined,
        model: job.model ?? undefined,
        requested_model: job.requestedModel ?? undefined,
        stop_reason: stop_reason,
        usage: { input_tokens: job.inputTokens, output_tokens: job.outputTokens },
        completed_at: iso(job.completedAt),
        ...errorOf(job),
        warnings: job.warnings.length === 0 ? undefined : job.warnings,
      };
    },
  }),

  defineTool({
    name: 'list_background_tasks',
    title: 'List background tasks',
    effect: 'read',
    description: 'Background tasks, newest first; unread marks results that nobody has fetched. Next: get_task_result.',
    input: z.strictObject({
      limit: limit(10),
      status_filter: z.enum(jobStatuses).optional().describe('Only tasks of this status.'),
      scope: scope.optional(),
      cursor,
    }),
    output: z.object({ tasks: z.array(briefJobOutput), count: z.int(), next_cursor: z.string().optional() }),
    text: ({ tasks, count }) =>
      count === 0
        ? 'No tasks found'
        : `Tasks (${count}):\n${tasks.map((task) => `${task.task_id} ${task.status} ${cut(task.description, 60)} (${task.created_at})`).join('\n')}`,
    handler: async (input, { runtime, actor }) => {
      const wishes = { limit: input.limit, byDefault: 10 };
      const filter = {
        type: 'llm',
        status: input.status_filter,
        project: projectOf(actor, input.scope),
        beforeSeq: fromCursor(input.cursor),
      };
      const jobs = await runtime.jobs.list({ ...filter, limit: rowsFor(wishes) });
      const { items, ...rest } = toPage(jobs, wishes, showJobBriefly, (job) => job.seq);
      return { tasks: items, count: items.length, ...rest };
    },
  }),

  defineTool({
    name: 'cancel_task',
    title: 'Cancel a background task',
    effect: 'destroy',
    isIdempotent: true,
    description:
      'Ends a background task or job: one that waits never starts; of one that runs, the model call is aborted and every ' +
      'process it started is ended. What had arrived is kept. Next: retry_task to run it again.',
    input: z.strictObject({ task_id: jobId }),
    output: jobStatusOutput,
    text: ({ task_id, status }) => `Task ${task_id} is ${status}`,
    handler: async (input, { runtime, actor }) => showJobStatus(await runtime.jobs.cancel(input.task_id, actor)),
  }),

  defineTool({
    name: 'wait_for_tasks',
    title: 'Wait for background tasks',
    effect: 'read',
    description:
      'Waits until one or all of these background tasks have ended, and returns how each stands then, also when the time is ' +
      'over first. Next: get_task_result, or call it again.',
    input: z.strictObject({
      task_ids: z.array(jobId).min(1).max(100).describe('Ids as returned by submit_background_task or submit_job.'),
      mode: z.enum(['any', 'all']).default('all').describe('Wait for any of them, or for all.'),
      timeout_seconds: z.int().min(0).max(50).default(25).describe('At most this long; 50 at the most.'),
    }),
    output: z.object({
      done: z.boolean().describe('Whether what you waited for has come.'),
      tasks: z.array(
        jobStatusOutput.pick({ task_id: true, status: true, error: true, progress: true, progress_message: true }),
      ),
    }),
    handler: async (input, context) => {
      const { isDone, jobs } = await waitForJobs(input.task_ids, input.mode, input.timeout_seconds * 1000, context);
      const tasks = jobs
        .map((job) => showJobStatus(job))
        .map(({ task_id, status, error, progress, progress_message }) => ({
          task_id,
          status,
          error: error ? error : undefined,
          progress: progress,
          progress_message: progress_message,
        }));
      return { done: isDone, tasks };
    },
  }),

  defineTool({
    name: 'retry_task',
    title: 'Retry a background task',
    effect: 'write',
    isExternal: true,
    description:
      'Runs a failed, cancelled or dead background task or job again, with fresh tries, if you like with another model. ' +
      'Tasks that were cancelled because of it come back too. Next: wait_for_tasks.',
    input: z.strictObject({ task_id: jobId, model: model.optional() }),
    output: jobStatusOutput,
    handler: async (input, { runtime, actor }) => showJobStatus(await retryLlmJob(input, actor, runtime)),
  }),
];
