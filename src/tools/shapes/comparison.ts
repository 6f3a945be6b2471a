import { z } from 'zod';
import { jobStatuses } from '../../core/jobs/job.js';
import type { Comparison } from '../../services/compare-jobs.js';
import type { SubmittedJobs } from '../../services/submit-jobs.js';
import { jsonObject, mark, whenTrue } from '../call/fields.js';

const jobStatus = z.enum(jobStatuses);

export const submittedJobsOutput = z.strictObject({
  /** With a grid: names all of them for compare_jobs and cancel_job. */
  sweep: z.string().optional(),
  count: z.int(),
  jobs: z.array(
    z.strictObject({
      job_id: z.string(),
      status: jobStatus,
      /** The idempotency key was known: this is the job of the earlier call. */
      repeated: mark,
      /** Its values of the grid. */
      parameters: jsonObject.optional(),
    }),
  ),
  warnings: z.array(z.string()).optional(),
});

/** @internal */
export function showSubmittedJobs({ sweep, jobs, warnings }: SubmittedJobs): z.infer<typeof submittedJobsOutput> {
  return {
    sweep,
    count: jobs.length,
    jobs: jobs.map(({ job, isRepeated, parameters }) => ({
      job_id: job.id,
      status: job.status,
      repeated: whenTrue(isRepeated),
      parameters,
    })),
    warnings: warnings.length === 0 ? undefined : warnings,
  };
}

export const cancelledOutput = z.strictObject({
  job_id: z.string(),
  status: jobStatus,
  cancelled: z.boolean(),
  /** Of a sweep: how many of its jobs had not ended. */
  count: z.int().optional(),
});

/** @internal */
export const showCancelledSweep = (sweep: string, count: number): z.infer<typeof cancelledOutput> => ({
  job_id: sweep,
  status: 'cancelled',
  cancelled: true,
  count,
});

/** A table of jobs, best first. */
export const comparisonOutput = z.strictObject({
  jobs: z.array(
    z.strictObject({
      job_id: z.string(),
      status: jobStatus,
      /** Those in which the jobs differ. */
      parameters: jsonObject,
      figures: z.record(z.string(), z.number()),
      /** The figures in which no other job is better. */
      best: z.array(z.string()).optional(),
    }),
  ),
  /** By the first of them the jobs are ordered. */
  figures: z.array(z.strictObject({ name: z.string(), better: z.enum(['more', 'less']) })),
  /** The parameters that all share. */
  same: jsonObject,
  count: z.int(),
  total: z.int(),
  /** There are older jobs, which were not looked at. */
  cut: mark,
});

export type ShownComparison = z.infer<typeof comparisonOutput>;

/** @internal */
export function showComparison({ jobs, figures, same, total, isCut }: Comparison): ShownComparison {
  return {
    jobs: jobs.map(({ id, status, parameters, figures: ofJob, best }) => ({
      job_id: id,
      status,
      parameters,
      figures: Object.fromEntries(Object.entries(ofJob).map(([name, value]) => [name, Number(value.toPrecision(6))])),
      best: best.length === 0 ? undefined : best,
    })),
    figures: figures.map(({ name, isLessBetter }) => ({ name, better: isLessBetter ? 'less' : 'more' })),
    same,
    count: jobs.length,
    total,
    cut: whenTrue(isCut),
  };
}
