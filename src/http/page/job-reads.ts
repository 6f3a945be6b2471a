import { z } from 'zod';
import { unseenAmong } from '../../core/jobs/read-jobs.js';
import {
  countJobs,
  countRowsIn,
  readAttemptOutputs,
  readJobChoices,
  readJobLinks,
  readOutputPart,
} from '../../core/overview/job-board.js';
import { jobOrders, readJobList } from '../../core/overview/job-list.js';
import { nameJobs } from '../../core/overview/job-names.js';
import { compareJobs } from '../../services/compare-jobs.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { jobId, whenTrue } from '../../tools/call/fields.js';
import { showComparison } from '../../tools/shapes/comparison.js';
import { curveOf, mostCurves, pageComparison } from './comparison.js';
import { jobFilter, toJobFilter } from './job-filter.js';
import {
  attemptOutputs,
  jobOutputPart,
  jobPage,
  modelList,
  showJobSummary,
  showWholeJob,
  type WholeJob,
  wholeJob,
} from './jobs.js';
import { showNames } from './names.js';

const mostLogs = 500;

/** What a job is linked with. */
function referencesOfJob({ task_id, goal_id, relay_id, run_id, submitted_by, depends_on, dependents }: WholeJob) {
  return [
    task_id === null ? null : `task:${task_id}`,
    goal_id === null ? null : `goal:${goal_id}`,
    relay_id === undefined ? null : `relay:${relay_id}`,
    run_id === null ? null : `job:${run_id}`,
    submitted_by,
    ...[...depends_on, ...dependents].map(({ id }) => `job:${id}`),
  ];
}

/**
 * What the page shows of jobs and no tool answers. Unlike the tools that fetch a result, these leave it unread: it is
 * the session that asked for it who has to see it.
 */
export const jobReads = [
  defineTool({
    name: 'jobs',
    title: 'Jobs with their counts',
    effect: 'read',
    description: 'How many jobs there are of each status under a filter, and a page of them. A relay is one row.',
    input: z.strictObject({
      ...jobFilter.shape,
      sort: z.enum(jobOrders).default('interest').describe('interest: running ones, failed ones, the rest.'),
      ascending: z.boolean().default(false).describe('The least first.'),
      limit: z.int().min(1).max(200).default(50).describe('At most this many; 50 unless given.'),
      page: z.int().min(1).max(1_000_000).default(1).describe('The first is 1.'),
    }),
    output: jobPage,
    handler: async ({ sort: order, ascending: isAscending, limit, page, ...given }, { runtime }) => {
      const { db, clock } = runtime;
      const filter = toJobFilter(given);
      const place = { order, isAscending, limit, offset: (page - 1) * limit, now: clock.now() };
      const [counts, choices, { jobs: shown, relaySizes }] = await Promise.all([
        countJobs(db, filter),
        readJobChoices(db),
        readJobList(db, filter, place),
      ]);
      const [total, unseen, jobNames, named] = await Promise.all([
        countRowsIn(db, filter, counts),
        unseenAmong(
          db,
          shown.map(({ id }) => id),
        ),
        nameJobs(db, shown),
        showNames(
          db,
          shown.flatMap(({ goalId, submittedBy }) => [goalId === null ? null : `goal:${goalId}`, submittedBy]),
        ),
      ]);
      return {
        counts: counts.byStatus,
        dead: counts.dead,
        unread: counts.unread,
        ...choices,
        jobs: shown.map((job) => ({
          ...showJobSummary(job, jobNames.get(job.id) ?? job.type, clock.now(), relaySizes.get(job.id)),
          unread: whenTrue(unseen.has(job.id)),
        })),
        total,
        ...named,
      };
    },
  }),

  defineTool({
    name: 'job',
    title: 'A job in full',
    effect: 'read',
    description: 'A job in full, except its output, which may be long.',
    input: z.strictObject({ job_id: jobId }),
    output: wholeJob,
    handler: async ({ job_id }, { runtime }) => {
      const { db, jobs, clock } = runtime;
      const job = await jobs.get(job_id);
      const [attempts, logs, artifacts, links, jobNames, unseen] = await Promise.all([
        jobs.attempts(job.id),
        jobs.logs(job.id, mostLogs),
        jobs.artifacts(job.id),
        readJobLinks(db, job.id),
        nameJobs(db, [job]),
        unseenAmong(db, [job.id]),
      ]);
      const name = jobNames.get(job.id) ?? job.type;
      const shown = showWholeJob(job, { attempts, logs, artifacts, links, name }, clock.now());
      const unread = whenTrue(unseen.has(job.id));
      return { ...shown, unread, ...(await showNames(db, referencesOfJob(shown))) };
    },
  }),

  defineTool({
    name: 'comparison',
    title: 'Jobs compared',
    effect: 'read',
    description: 'What compare_jobs says of a sweep or of a type, with the curves of the best.',
    input: z.strictObject({
      sweep: z.string().min(1).max(300).optional().describe('Those of a sweep.'),
      type: z.string().max(100).optional().describe('Those of a type.'),
      where: z.array(z.string().max(500)).max(20).optional().describe('Conditions that all must meet.'),
      figures: z.array(z.string().min(1).max(200)).max(20).optional().describe('The first ranks.'),
    }),
    output: pageComparison,
    handler: async (input, { runtime }) => {
      const shown = showComparison(await compareJobs({ ...input, limit: 100 }, runtime.jobs));
      const best = shown.jobs.slice(0, mostCurves).map(({ job_id }) => job_id);
      const results = await runtime.jobs.results(best);
      return { ...shown, curves: best.flatMap((id) => curveOf(id, results.get(id) ?? null) ?? []) };
    },
  }),

  defineTool({
    name: 'job_output',
    title: 'The output of a job',
    effect: 'read',
    description: 'The output of a job from a place on, also while it is being written.',
    input: z.strictObject({
      job_id: jobId,
      offset: z.int().min(0).max(1_000_000_000).default(0).describe('Where to start, in characters.'),
    }),
    output: jobOutputPart,
    handler: async ({ job_id, offset }, { runtime }) => {
      const { isEarlier, totalChars, ...part } = await readOutputPart(runtime.db, job_id, offset, 1_000_000);
      return { ...part, earlier: isEarlier, total_chars: totalChars };
    },
  }),

  defineTool({
    name: 'attempt_outputs',
    title: 'The outputs of the attempts of a job',
    effect: 'read',
    description: 'What each attempt of a job has put out, to compare them.',
    input: z.strictObject({ job_id: jobId }),
    output: attemptOutputs,
    handler: async ({ job_id }, { runtime }) => ({ attempts: await readAttemptOutputs(runtime.db, job_id) }),
  }),

  defineTool({
    name: 'models',
    title: 'Models',
    effect: 'read',
    description: 'The default model, and of each provider whether it is set up, its model, or what to set.',
    input: z.strictObject({}),
    output: modelList,
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
];
