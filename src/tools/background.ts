import { z } from 'zod';
import { hasEnded, jobStatuses } from '../core/jobs/job.js';
import { retryLlmJob, submitLlmJob } from '../services/model-request.js';
import { defineTool } from './call/define-tool.js';
import { cursor, jobId, limit, scope, toMs, whenTrue } from './call/fields.js';
import { fromCursor, pagedList, pageOutput, projectOf } from './call/page.js';
import { waitForJobs } from './call/wait.js';
import { wholeJobId } from './call/whole-job-id.js';
import { budgetUsd } from './shapes/cost.js';
import {
  attemptOutput,
  jobStatusOutput,
  listedTaskOutput,
  showAttempts,
  showJobBriefly,
  showJobStatus,
  showWaitedJob,
  submittedTaskOutput,
  waitedJobOutput,
  warningsOf,
} from './shapes/job.js';
import { jobResultOutput, showJobResult } from './shapes/job-result.js';
import { jobListText, jobResultText, jobStatusText, repeatedLine, warningLines } from './shapes/job-text.js';
import { model, newPrompt } from './shapes/new-prompt.js';

/** Background tasks: prompts that a language model answers in a process of their own. */
export const backgroundTools = [
  defineTool({
    name: 'submit_background_task',
    title: 'Submit a background task',
    effect: 'write',
    isEntry: true,
    isExternal: true,
    description:
      'Gives a prompt to a model, which sees nothing else; the work outlives this session. Next: wait_for_tasks.',
    input: newPrompt,
    output: submittedTaskOutput,
    text: (output) =>
      `Task ID: ${output.task_id}\nStatus: ${output.status}\nCheck with: check_task_status('${output.task_id}')` +
      repeatedLine(output) +
      warningLines(output.warnings),
    handler: async (input, { runtime, actor }) => {
      const { job, isRepeated, warnings } = await submitLlmJob(
        { ...input, run_at: toMs(input.run_at) },
        actor,
        runtime,
      );
      const repeated = whenTrue(isRepeated);
      return { task_id: job.id, status: job.status, repeated, warnings: warningsOf({ warnings }) };
    },
  }),

  defineTool({
    name: 'check_task_status',
    title: 'Check task status',
    effect: 'read',
    description: 'Returns the status of a background task with times, attempts, tokens, error and its newest text.',
    input: z.strictObject({ task_id: jobId }),
    output: jobStatusOutput.extend({ attempts: z.array(attemptOutput).optional() }),
    text: jobStatusText,
    handler: async (input, context) => {
      const { runtime } = context;
      const job = await runtime.jobs.get(await wholeJobId(context, input.task_id));
      const partial = job.status === 'completed' ? '' : await runtime.jobs.output(job.id);
      const attempts = showAttempts(await runtime.jobs.attempts(job.id));
      return { ...showJobStatus(job, partial, runtime.clock.now()), attempts };
    },
  }),

  defineTool({
    name: 'get_task_result',
    title: 'Get task result',
    effect: 'read',
    description:
      'Returns the answer of a background task, or what has arrived so far; next_offset starts the next part.',
    input: z.strictObject({
      task_id: jobId,
      offset: z.int().min(0).max(1_000_000_000).optional().describe('Where to start, in characters; 0 unless given.'),
      max_chars: z.int().min(1).max(200_000).optional().describe('At most this many characters; 20,000 unless given.'),
    }),
    output: jobResultOutput,
    text: jobResultText,
    handler: async (input, context) => {
      const { runtime, rights } = context;
      const job = await runtime.jobs.get(await wholeJobId(context, input.task_id));
      const output = await runtime.jobs.output(job.id);
      if (!rights.isReadOnly) await runtime.jobs.markRead(job.id);
      return showJobResult(job, output, { offset: input.offset ?? 0, most: input.max_chars ?? 20_000 });
    },
  }),

  defineTool({
    name: 'list_background_tasks',
    title: 'List background tasks',
    effect: 'read',
    description: 'Lists background tasks, newest first; unread marks results not fetched.',
    input: z.strictObject({
      limit: limit(10),
      status_filter: z.enum(jobStatuses).optional().describe('Only tasks of this status.'),
      scope: scope.optional(),
      cursor,
    }),
    output: pageOutput('tasks', listedTaskOutput),
    text: jobListText,
    handler: async ({ status_filter: status, scope, ...input }, { runtime, actor }) => {
      const filter = { type: 'llm', status, project: projectOf(actor, scope), beforeSeq: fromCursor(input.cursor) };
      return pagedList('tasks', input, {
        byDefault: 10,
        read: (limit) => runtime.jobs.list({ ...filter, limit }),
        total: () => runtime.jobs.count(filter),
        show: showJobBriefly,
        placeOf: ({ seq }) => seq,
        shared: ['status', 'model'],
      });
    },
  }),

  defineTool({
    name: 'cancel_task',
    title: 'Cancel a task',
    effect: 'destroy',
    isIdempotent: true,
    description: 'Cancels a background task, job or run with its processes; output so far is kept.',
    input: z.strictObject({ task_id: jobId }),
    output: jobStatusOutput,
    text: ({ task_id, status, cancel_requested }) =>
      `Task ${task_id} is ${status}${cancel_requested ? ' and being cancelled' : ''}`,
    handler: async (input, context) => {
      const id = await wholeJobId(context, input.task_id);
      return showJobStatus(await context.runtime.jobs.cancel(id, context.actor));
    },
  }),

  defineTool({
    name: 'wait_for_tasks',
    title: 'Wait for tasks',
    effect: 'read',
    description: 'Waits until any or all have ended, 50 s at most; returns status and the beginning of each answer.',
    input: z.strictObject({
      task_ids: z.array(jobId).min(1).max(100).describe('Ids as returned by submit_background_task or submit_job.'),
      mode: z.enum(['any', 'all']).default('all').describe('Wait for any of them, or for all.'),
      timeout_seconds: z.int().min(0).max(50).default(25).describe('At most this long; 50 at the most.'),
    }),
    output: z.strictObject({
      /** Whether what you waited for has happened. */
      done: z.boolean(),
      tasks: z.array(waitedJobOutput),
    }),
    handler: async (input, context) => {
      const ids = await Promise.all(input.task_ids.map((id) => wholeJobId(context, id)));
      const { isDone, jobs } = await waitForJobs(ids, input.mode, input.timeout_seconds * 1000, context);
      const { runtime } = context;
      const tasks = jobs.map(async (job) =>
        showWaitedJob(job, hasEnded(job.status) ? await runtime.jobs.output(job.id) : ''),
      );
      return { done: isDone, tasks: await Promise.all(tasks) };
    },
  }),

  defineTool({
    name: 'retry_task',
    title: 'Retry a task',
    effect: 'write',
    isExternal: true,
    description: 'Runs a failed, cancelled or dead background task again.',
    input: z.strictObject({
      task_id: jobId,
      model: model.optional(),
      token_budget: z.int().min(1).max(1_000_000_000).optional().describe('A new one over all tries.'),
      budget_usd: budgetUsd.optional().describe('Likewise.'),
    }),
    output: jobStatusOutput,
    handler: async (input, context) => {
      const task_id = await wholeJobId(context, input.task_id);
      return showJobStatus(await retryLlmJob({ ...input, task_id }, context.actor, context.runtime));
    },
  }),
];
