import { z } from 'zod';
import type { AgentDescription } from '../agents/index.js';
import { cut } from '../base/text.js';
import { jobStatuses } from '../core/jobs/job.js';
import { submitJob } from '../services/submit-job.js';
import { defineTool } from './call/define-tool.js';
import { cursor, iso, limit, metadata, priority, scope, time, toMs } from './call/fields.js';
import { fromCursor, rowsFor, toPage } from './call/page.js';
import { projectOf } from './call/project.js';
import { attemptOutput, errorOf, showAttempt, summarize } from './shapes/job.js';

const jobId = z
  .string()
  .min(1)
  .max(200)
  .describe('The job_id that submit_job returned, or the task_id of a background task.');

/** A job whole. */
export const jobOutput = z.object({
  job_id: z.string(),
  type: z.string(),
  status: z.string(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  dead: z.boolean().optional().describe('Its process vanished too often; retry_task runs it again.'),
  progress: z.number().optional(),
  progress_message: z.string().optional(),
  result: z.unknown().optional(),
  result_cut: z
    .string()
    .optional()
    .describe('The beginning of a result too long to show; get_task_result reads it in parts.'),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  warnings: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.unknown()),
  artifacts: z
    .array(z.object({ name: z.string(), path: z.string(), size_bytes: z.int(), sha256: z.string() }))
    .optional(),
  logs: z.array(z.object({ at: z.string(), level: z.string(), message: z.string() })),
  attempts: z.array(attemptOutput).optional(),
});

export const submittedOutput = z.object({ job_id: z.string(), status: z.string(), repeated: z.boolean().optional() });

export const cancelledOutput = z.object({ job_id: z.string(), status: z.string(), cancelled: z.boolean() });

export const agentListOutput = z.object({
  agents: z.array(
    z.object({
      type: z.string(),
      description: z.string(),
      payload: z.array(z.string()),
      concurrency: z.int().optional().describe('How many of its jobs run at once over all processes.'),
      timeout_seconds: z.int().optional().describe('How long one try may take unless its job says otherwise.'),
      module: z.string().optional().describe("Where it comes from, when it is one of the user's own."),
      schema: z.unknown().optional(),
      note: z.string().optional(),
    }),
  ),
  supported_job_types: z.array(z.string()),
  problems: z
    .array(z.object({ module: z.string(), reason: z.string() }))
    .optional()
    .describe('Modules of the config file that cannot be used.'),
});

/** A page of jobs. */
export const jobListOutput = z.object({
  jobs: z.array(
    z.object({
      job_id: z.string(),
      type: z.string(),
      status: z.string(),
      about: z.string(),
      created_at: z.string(),
      completed_at: z.string().nullable(),
      dead: z.boolean().optional().describe('Its process vanished too often; retry_task runs it again.'),
    }),
  ),
  count: z.int(),
  next_cursor: z.string().optional(),
});

/** A result longer than this is cut, so that one status does not fill a model's context. */
const longestResult = 12_000;

/** Jobs: work of any type that an agent does in a process of its own. */
export const jobTools = [
  defineTool({
    name: 'submit_job',
    title: 'Submit a job',
    effect: 'write',
    isExternal: true,
    description:
      'Gives work of a type (list_agents names them, with what their payload takes) to its agent in a process of its own, ' +
      'which goes on when this session ends. The payload is checked now. Next: wait_for_tasks or get_job_status.',
    input: z.strictObject({
      type: z.string().min(1).max(100).describe('The job type, such as ml_experiment or backtest.'),
      payload: metadata.describe('What the agent is to work on, as its schema says.'),
      metadata: metadata.optional(),
      priority: priority.optional(),
      depends_on: z.array(jobId).max(100).optional().describe('Jobs that must be completed first.'),
      run_at: time.optional().describe('Not started before this, ISO 8601 with a zone.'),
      max_attempts: z
        .int()
        .min(1)
        .max(20)
        .optional()
        .describe('Tries on transient failures or a lost process; 3 unless given.'),
      timeout_seconds: z.int().min(1).max(86_400).optional().describe('How long one try may take; 1,800 unless given.'),
      idempotency_key: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('A name of your own: the same key again returns the same job.'),
    }),
    output: submittedOutput,
    text: (output) => `Job submitted successfully: ${output.job_id}`,
    handler: async (input, { runtime, actor }) => {
      const { job, isRepeated } = await submitJob({ ...input, run_at: toMs(input.run_at) }, actor, runtime);
      return { job_id: job.id, status: job.status, repeated: isRepeated ? true : undefined };
    },
  }),

  defineTool({
    name: 'get_job_status',
    title: 'Read a job',
    effect: 'read',
    description:
      'A job whole: status, progress, the end of its log, its result when completed, its artifacts, and its error when failed.',
    input: z.strictObject({ job_id: jobId }),
    output: jobOutput,
    handler: async (input, { runtime }) => {
      const job = await runtime.jobs.get(input.job_id);
      const [logs, attempts, artifacts] = await Promise.all([
        runtime.jobs.logs(job.id, 20),
        runtime.jobs.attempts(job.id),
        runtime.jobs.artifacts(job.id),
      ]);
      if (job.status === 'completed' || job.status === 'failed') await runtime.jobs.markRead(job.id);
      const result = JSON.stringify(job.result);
      return {
        job_id: job.id,
        type: job.type,
        status: job.status,
        created_at: iso(job.createdAt),
        started_at: iso(job.startedAt),
        completed_at: iso(job.completedAt),
        dead: job.isDead ? true : undefined,
        progress: job.progress ?? undefined,
        progress_message: job.progressMessage ?? undefined,
        ...(result.length > longestResult ? { result_cut: cut(result, longestResult) } : { result: job.result }),
        error: errorOf(job).error ?? null,
        warnings: job.warnings.length === 0 ? undefined : job.warnings,
        metadata: job.metadata,
        artifacts: artifacts.length === 0 ? undefined : artifacts,
        logs: logs.map(({ at, level, message }) => ({ at: iso(at), level, message: cut(message, 200) })),
        attempts: attempts.length > 1 ? attempts.slice(-5).map(showAttempt) : undefined,
      };
    },
  }),

  defineTool({
    name: 'list_jobs',
    title: 'List jobs',
    effect: 'read',
    description: 'Jobs of every type, background tasks among them, newest first. Next: get_job_status for one.',
    input: z.strictObject({
      status_filter: z.enum(jobStatuses).optional().describe('Only jobs of this status.'),
      type: z.string().max(100).optional().describe('Only jobs of this type.'),
      dead: z
        .boolean()
        .optional()
        .describe('true: only dead letters, whose process vanished too often; retry_task runs one again.'),
      scope: scope.optional(),
      limit: limit(20),
      cursor,
    }),
    output: jobListOutput,
    handler: async (input, { runtime, actor }) => {
      const wishes = { limit: input.limit, byDefault: 20 };
      const filter = {
        status: input.status_filter,
        type: input.type,
        isDead: input.dead,
        project: projectOf(actor, input.scope),
      };
      const jobs = await runtime.jobs.list({ ...filter, beforeSeq: fromCursor(input.cursor), limit: rowsFor(wishes) });
      const { items, ...rest } = toPage(
        jobs,
        wishes,
        (job) => ({
          job_id: job.id,
          type: job.type,
          status: job.status,
          about: cut(summarize(job.type, job.payload), 50),
          created_at: iso(job.createdAt),
          completed_at: iso(job.completedAt),
          dead: job.isDead ? true : undefined,
        }),
        (job) => job.seq,
      );
      return { jobs: items, count: items.length, ...rest };
    },
  }),

  defineTool({
    name: 'cancel_job',
    title: 'Cancel a job',
    effect: 'destroy',
    isIdempotent: true,
    description:
      'Ends a job: one that waits never starts, one that runs is stopped with every process it started. Its log and what it ' +
      'had put out are kept. Next: retry_task with its id to run it again.',
    input: z.strictObject({ job_id: jobId }),
    output: cancelledOutput,
    text: (output) => `Job ${output.cancelled ? 'cancelled' : output.status}: ${output.job_id}`,
    handler: async (input, { runtime, actor }) => {
      const job = await runtime.jobs.cancel(input.job_id, actor);
      return { job_id: job.id, status: job.status, cancelled: job.status === 'cancelled' };
    },
  }),

  defineTool({
    name: 'list_agents',
    title: 'List job types',
    effect: 'read',
    description: 'Which types of job there are, what each does, and what its payload takes, as JSON schema.',
    input: z.strictObject({ type: z.string().max(100).optional().describe('Only this type, with its whole schema.') }),
    output: agentListOutput,
    handler: async (input, { runtime }) => {
      const { agents, problems } = await runtime.agents.describe(input.type);
      return {
        agents: agents.map((agent) => showAgent(agent, input.type !== undefined)),
        supported_job_types: [...new Set([...runtime.agents.types, ...agents.map((agent) => agent.type)])],
        problems: problems.length === 0 ? undefined : problems,
      };
    },
  }),
];

function showAgent({ schema, timeoutSeconds, ...agent }: AgentDescription, isWhole: boolean) {
  return {
    ...agent,
    payload: Object.keys((schema?.properties ?? {}) as object),
    timeout_seconds: timeoutSeconds,
    schema: isWhole ? schema : undefined,
    note: schema ? undefined : 'Its schema library tells no JSON schema; payloads are checked all the same.',
  };
}
