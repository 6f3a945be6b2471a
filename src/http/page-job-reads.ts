import { z } from 'zod';
import { cut } from '../base/text.js';
import type { Job } from '../core/jobs/job.js';
import { jobStatuses } from '../core/jobs/job.js';
import { countJobs, readJobChoices, readJobLinks, readOutputPart } from '../core/overview/job-board.js';
import { readTrends } from '../core/overview/trends.js';
import { defineTool } from '../tools/call/define-tool.js';
import { cursor, iso, jobId } from '../tools/call/fields.js';
import { fromCursor } from '../tools/call/page.js';
import { errorOf, summarize } from '../tools/shapes/job.js';

/** A prompt or a payload beyond this is shown by its beginning. */
const longestPayload = 200_000;
const mostLogs = 500;

/**
 * What the page shows of jobs and no tool answers. Unlike the tools that fetch a result, these leave it unread: it is
 * the session that asked for it who has to see it.
 */
export const jobPageReads = [
  defineTool({
    name: 'jobs',
    title: 'Jobs with their counts',
    effect: 'read',
    description: 'How many jobs there are of each status under a filter, and a page of them, newest first.',
    input: z.strictObject({
      status: z.enum(jobStatuses).optional().describe('Only jobs of this status.'),
      type: z.string().max(100).optional().describe('Only jobs of this type.'),
      project: z.string().max(1_000).optional().describe("Only jobs of exactly this project; '' for those of none."),
      only: z.enum(['dead', 'unread']).optional().describe('Only dead letters, or results that nobody has fetched.'),
      limit: z.int().min(1).max(200).default(50).describe('At most this many; 50 unless given.'),
      cursor,
    }),
    output: z.unknown(),
    handler: async ({ status, type, project: onlyProject, only, limit, cursor: place }, { runtime }) => {
      const { db, jobs, clock } = runtime;
      const filter = { status, type, onlyProject, isDead: only === 'dead', isUnread: only === 'unread' };
      const [counts, choices, found] = await Promise.all([
        countJobs(db, { type, onlyProject }),
        readJobChoices(db),
        jobs.list({ ...filter, beforeSeq: fromCursor(place), limit: limit + 1 }),
      ]);
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        counts: counts.byStatus,
        dead: counts.dead,
        unread: counts.unread,
        ...choices,
        jobs: shown.map((job) => showJobLine(job, clock.now())),
        ...(found.length > limit && last ? { next_cursor: String(last.seq) } : {}),
      };
    },
  }),

  defineTool({
    name: 'job',
    title: 'A job whole',
    effect: 'read',
    description: 'Everything that is known of a job but its output, which may be long.',
    input: z.strictObject({ job_id: jobId }),
    output: z.unknown(),
    handler: async ({ job_id }, { runtime }) => {
      const { db, jobs, clock } = runtime;
      const job = await jobs.get(job_id);
      const [attempts, logs, artifacts, links] = await Promise.all([
        jobs.attempts(job.id),
        jobs.logs(job.id, mostLogs),
        jobs.artifacts(job.id),
        readJobLinks(db, job.id),
      ]);
      const payload = JSON.stringify(job.payload);
      return {
        ...showJobLine(job, clock.now()),
        ...(payload.length > longestPayload
          ? { payload_cut: payload.slice(0, longestPayload), payload_chars: payload.length }
          : { payload: job.payload }),
        metadata: job.metadata,
        priority: job.priority,
        run_at: iso(job.runAt),
        timeout_seconds: job.timeoutSeconds,
        token_budget: job.tokenBudget,
        crashes: job.crashes,
        submitted_by: job.submittedBy,
        task_id: job.taskId,
        goal_id: job.goalId,
        result: job.result,
        warnings: job.warnings,
        depends_on: links.before,
        dependents: links.after,
        attempts: attempts.map((attempt) => ({
          attempt: attempt.attempt,
          outcome: attempt.outcome ?? 'running',
          error_code: attempt.errorCode,
          error: attempt.errorMessage,
          model: attempt.model,
          input_tokens: attempt.inputTokens,
          output_tokens: attempt.outputTokens,
          started_at: iso(attempt.startedAt),
          ended_at: iso(attempt.endedAt),
        })),
        artifacts,
        logs: logs.map(({ id, at, level, message, fields }) => ({
          id,
          at: iso(at),
          level,
          message,
          ...(fields === null ? {} : { fields: JSON.parse(fields) }),
        })),
      };
    },
  }),

  defineTool({
    name: 'job_output',
    title: 'What a job has put out',
    effect: 'read',
    description: 'The output of a job from a place on, also while it is being written.',
    input: z.strictObject({
      job_id: jobId,
      offset: z.int().min(0).max(1_000_000_000).default(0).describe('Where to start, in characters.'),
    }),
    output: z.unknown(),
    handler: async ({ job_id, offset }, { runtime }) => {
      const { isEarlier, totalChars, ...part } = await readOutputPart(runtime.db, job_id, offset, 200_000);
      return { ...part, earlier: isEarlier, total_chars: totalChars };
    },
  }),

  defineTool({
    name: 'models',
    title: 'Whom a prompt can be given to',
    effect: 'read',
    description: 'The default model, and of each provider whether it is set up, its model, or what to set.',
    input: z.strictObject({}),
    output: z.unknown(),
    handler: async (_, { runtime }) => ({
      default: runtime.models.defaultModel() ?? null,
      providers: runtime.models.available().map(({ id, isConfigured, defaultModel, fix }) => ({
        id,
        configured: isConfigured,
        model: defaultModel,
        fix,
      })),
    }),
  }),

  defineTool({
    name: 'trends',
    title: 'The runtime over time',
    effect: 'read',
    description: 'Jobs submitted and ended, tokens, and the length of the queue, in equal stretches of a window.',
    input: z.strictObject({
      window_minutes: z.int().min(5).max(43_200).default(60).describe('How far back; 60 unless given.'),
      stretches: z.int().min(2).max(120).default(60).describe('In how many parts; 60 unless given.'),
    }),
    output: z.unknown(),
    handler: async ({ window_minutes, stretches }, { runtime }) => {
      const window = { windowMs: window_minutes * 60_000, count: stretches, now: runtime.clock.now() };
      const trends = await readTrends(runtime.db, window);
      return {
        window_minutes,
        stretches: trends.map(({ at, inputTokens, outputTokens, ...counts }) => ({
          at: iso(at),
          ...counts,
          input_tokens: inputTokens,
          output_tokens: outputTokens,
        })),
      };
    },
  }),
];

/** A job as a line of a list has it: what says nothing is left out. */
function showJobLine(job: Job, now: number) {
  const isPending = job.status === 'pending';
  const hasResult = job.status === 'completed' || job.status === 'failed';
  return {
    id: job.id,
    type: job.type,
    status: job.status,
    about: cut(summarize(job.type, job.payload), 160),
    ...(job.project === '' ? {} : { project: job.project }),
    ...(job.model === null ? {} : { model: job.model }),
    ...(job.requestedModel === null ? {} : { requested_model: job.requestedModel }),
    attempt: job.attempt,
    max_attempts: job.maxAttempts,
    ...(job.isDead ? { dead: true } : {}),
    ...(hasResult && !job.isRead ? { unread: true } : {}),
    ...(job.isCancelRequested && job.status === 'running' ? { cancel_requested: true } : {}),
    ...(job.progress === null ? {} : { progress: job.progress }),
    ...(job.progressMessage === null ? {} : { progress_message: job.progressMessage }),
    ...(isPending && job.unfinishedDependencies > 0 ? { waits_for: job.unfinishedDependencies } : {}),
    ...(isPending && job.runAt > now ? { next_attempt_at: iso(job.runAt) } : {}),
    input_tokens: job.inputTokens,
    output_tokens: job.outputTokens,
    ...errorOf(job),
    created_at: iso(job.createdAt),
    started_at: iso(job.startedAt),
    completed_at: iso(job.completedAt),
  };
}
