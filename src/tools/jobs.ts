import { z } from 'zod';
import type { Json } from '../base/json.js';
import { isSweep, jobStatuses } from '../core/jobs/job.js';
import { compareJobs } from '../services/compare-jobs.js';
import { type JobRequest, submitJob } from '../services/submit-job.js';
import { mostJobs, submitJobs } from '../services/submit-jobs.js';
import { defineTool } from './call/define-tool.js';
import { cursor, limit, metadata, scope, toMs, whenTrue } from './call/fields.js';
import { fromCursor, pagedList, pageOutput, projectOf } from './call/page.js';
import { parseInput } from './call/parse-input.js';
import { wholeJobId } from './call/whole-job-id.js';
import { agentListOutput, showAgents } from './shapes/agent.js';
import {
  cancelledOutput,
  comparisonOutput,
  showCancelledSweep,
  showComparison,
  showSubmittedJobs,
  submittedJobsOutput,
} from './shapes/comparison.js';
import { jobOutput, listedJobOutput, showJob, showListedJob, submittedOutput } from './shapes/job.js';
import { repeatedLine, warningLines } from './shapes/job-text.js';
import { newJob } from './shapes/new-job.js';

const jobId = z
  .string()
  .min(1)
  .max(200)
  .describe('The job_id that submit_job returned, or the task_id of a background task.');

/** A page of jobs, as a caller who gives a limit gets it. */
export const jobListOutput = pageOutput('jobs', listedJobOutput);
const crowdedJob = listedJobOutput.partial({ type: true, status: true, created_at: true, completed_at: true });

const submitJobTool = defineTool({
  name: 'submit_job',
  title: 'Submit a job',
  effect: 'write',
  isExternal: true,
  description:
    'Gives a job to the agent of its type, in a process that outlives this session. First: list_agents. Next: wait_for_tasks, get_job_status.',
  input: newJob,
  output: submittedOutput,
  text: (output) =>
    `Job submitted successfully: ${output.job_id}\nStatus: ${output.status}${repeatedLine(output)}${warningLines(output.warnings)}`,
  handler: async (input, { runtime, actor }) => {
    const { job, isRepeated, warnings } = await submitJob({ ...input, run_at: toMs(input.run_at) }, actor, runtime);
    return { job_id: job.id, status: job.status, repeated: whenTrue(isRepeated), warnings };
  },
});

/** Jobs: work of any type that an agent does in a process of its own. */
export const jobTools = [
  submitJobTool,

  defineTool({
    name: 'get_job_status',
    title: 'Get job status',
    effect: 'read',
    description: 'Returns a job: progress, log, artifacts, and its error or result, of a long one the figures.',
    input: z.strictObject({
      job_id: jobId,
      fields: z
        .array(z.string().min(1).max(200))
        .min(1)
        .max(50)
        .optional()
        .describe('Only these parts of the result, such as equity_curve.'),
    }),
    output: jobOutput,
    handler: async (input, context) => {
      const { runtime, rights } = context;
      const job = await runtime.jobs.get(await wholeJobId(context, input.job_id));
      const [logs, attempts, artifacts, dependsOn, why, output] = await Promise.all([
        runtime.jobs.logs(job.id, 20),
        runtime.jobs.attempts(job.id),
        runtime.jobs.bringArtifacts(job.id),
        runtime.jobs.dependsOn(job.id),
        runtime.jobs.why(job.id),
        job.type === 'llm' ? runtime.jobs.output(job.id) : '',
      ]);
      if (!rights.isReadOnly) await runtime.jobs.markRead(job.id);
      return showJob(job, { logs, attempts, artifacts, output, dependsOn, why, fields: input.fields });
    },
  }),

  defineTool({
    name: 'list_jobs',
    title: 'List jobs',
    effect: 'read',
    description: 'Lists jobs of every type, newest first. Next: get_job_status.',
    input: z.strictObject({
      status_filter: z.enum(jobStatuses).optional().describe('Only jobs of this status.'),
      type: z.string().max(100).optional().describe('Only jobs of this type.'),
      dead: z.boolean().optional().describe('true: only dead letters, whose process vanished too often.'),
      scope: scope.optional(),
      limit: limit(50),
      cursor,
    }),
    output: pageOutput('jobs', crowdedJob),
    handler: async (input, { runtime, actor }) => {
      const filter = {
        status: input.status_filter,
        type: input.type,
        isDead: input.dead,
        project: projectOf(actor, input.scope),
        beforeSeq: fromCursor(input.cursor),
      };
      return pagedList('jobs', input, {
        byDefault: 50,
        read: (limit) => runtime.jobs.list({ ...filter, limit }),
        total: () => runtime.jobs.count(filter),
        show: showListedJob,
        placeOf: ({ seq }) => seq,
        shared: ['type', 'status'],
        spared: ['created_at', 'completed_at'],
      });
    },
  }),

  defineTool({
    name: 'cancel_job',
    title: 'Cancel a job',
    effect: 'destroy',
    isIdempotent: true,
    description:
      'Cancels a job, or all of a sweep by its id, with every process; log and output are kept. Next: retry_task.',
    input: z.strictObject({ job_id: jobId }),
    output: cancelledOutput,
    text: (output) => `Job ${output.cancelled ? 'cancelled' : output.status}: ${output.job_id}`,
    handler: async (input, context) => {
      const { runtime, actor } = context;
      if (isSweep(input.job_id))
        return showCancelledSweep(input.job_id, await runtime.jobs.cancelSweep(input.job_id, actor));
      const job = await runtime.jobs.cancel(await wholeJobId(context, input.job_id), actor);
      return { job_id: job.id, status: job.status, cancelled: job.status === 'cancelled' };
    },
  }),

  defineTool({
    name: 'submit_jobs',
    title: 'Submit several jobs',
    effect: 'write',
    isExternal: true,
    description:
      'Submits several jobs, all or none; with grid a sweep, each job once for every combination. Next: wait_for_tasks, compare_jobs.',
    input: z.strictObject({
      jobs: z.array(metadata).min(1).max(mostJobs).describe('Each as submit_job takes it.'),
      grid: z
        .record(z.string(), z.array(z.custom<Json>()))
        .optional()
        .describe('Values by payload field, such as {"learning_rate": [0.1, 0.01], "params.window": [10, 20]}.'),
    }),
    output: submittedJobsOutput,
    handler: async ({ jobs, grid }, { runtime, actor }) =>
      showSubmittedJobs(await submitJobs(readRequests(jobs), grid, actor, runtime)),
  }),

  defineTool({
    name: 'compare_jobs',
    title: 'Compare jobs',
    effect: 'read',
    description: 'Compares jobs by the parameters in which they differ and by figures of their results, best first.',
    input: z.strictObject({
      job_ids: z.array(z.string().min(1).max(200)).min(1).max(mostJobs).optional().describe('These.'),
      sweep: z.string().min(1).max(300).optional().describe('Those of a sweep.'),
      type: z.string().max(100).optional().describe('Those of a type.'),
      where: z.array(z.string().max(500)).max(20).optional().describe('Conditions: epochs>5, metadata.user=ada.'),
      figures: z
        .array(z.string().min(1).max(200))
        .max(20)
        .optional()
        .describe('Such as test.macro_f1; the first ranks. -name: less is better.'),
      limit: limit(20),
    }),
    output: comparisonOutput,
    handler: async ({ job_ids: jobIds, limit: most = 20, ...request }, { runtime, actor }) => {
      const project = projectOf(actor, undefined);
      return showComparison(await compareJobs({ ...request, jobIds, project, limit: most }, runtime.jobs));
    },
  }),

  defineTool({
    name: 'list_agents',
    title: 'List agents',
    effect: 'read',
    description: 'Lists the types of job and what their payloads take; with type, its JSON schema.',
    input: z.strictObject({ type: z.string().max(100).optional().describe('Only this type, with its whole schema.') }),
    output: agentListOutput,
    handler: async (input, { runtime }) => {
      const { agents, problems } = await runtime.agents.describe(input.type);
      return showAgents(agents, problems, { builtIn: runtime.agents.types, isWhole: input.type !== undefined });
    },
  }),
];

const severalJobs = { name: 'submit_jobs', input: z.strictObject({ jobs: z.array(newJob) }) };

/** Several jobs, each checked as `submit_job` checks its own. What is wrong is named with its place, as `jobs[1].foo`. */
function readRequests(given: readonly Record<string, Json>[]): JobRequest[] {
  const { jobs } = parseInput(severalJobs, { jobs: given }) as {
    jobs: (Omit<JobRequest, 'run_at'> & { run_at?: string })[];
  };
  return jobs.map(({ run_at, ...request }) => ({ ...request, run_at: toMs(run_at) }));
}
