import { z } from 'zod';
import { jobStatuses } from '../../core/jobs/job.js';
import type { JobListFilter } from '../../core/overview/job-list.js';
import { time, toMs } from '../../tools/call/fields.js';

/** Which jobs a list shows, and which ones an action on all of them means. */
export const jobFilter = z.strictObject({
  status: z.enum(jobStatuses).optional().describe('Only jobs of this status.'),
  type: z.string().max(100).optional().describe('Only jobs of this type.'),
  project: z.string().max(1_000).optional().describe("Only jobs of exactly this project; '' for those of none."),
  only: z
    .enum(['dead', 'unread'])
    .optional()
    .describe('Only dead letters, or results that neither a session nor a person has read.'),
  text: z.string().max(200).optional().describe('Only jobs with this in their payload, id or error.'),
  since: time.optional(),
  before: time.optional(),
  ended_since: time.optional(),
  ended_before: time.optional(),
  error: z.string().max(100).optional().describe('Only jobs of which an attempt failed with this code.'),
  relay: z.string().max(100).optional().describe('Only the jobs of this relay, each of them.'),
});

export function toJobFilter(given: z.output<typeof jobFilter>): JobListFilter {
  const { status, type, project: onlyProject, only, text, since, before, relay, error } = given;
  return {
    status,
    type,
    onlyProject,
    isDead: only === 'dead',
    isUnseen: only === 'unread',
    text: text === '' ? undefined : text,
    submittedSince: toMs(since),
    submittedBefore: toMs(before),
    endedSince: toMs(given.ended_since),
    endedBefore: toMs(given.ended_before),
    error,
    relay,
  };
}
