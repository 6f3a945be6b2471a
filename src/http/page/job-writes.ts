import { z } from 'zod';
import { type ChangedJobs, cancelJobs, retryJobs } from '../../services/change-jobs.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { mark, whenTrue } from '../../tools/call/fields.js';
import { jobFilter, toJobFilter } from './job-filter.js';

/** What an action on all jobs of a filter has done. */
const changedJobs = z.strictObject({
  changed: z.int(),
  refused: z.array(z.strictObject({ id: z.string(), why: z.string() })),
  /** There are more than are changed at once. */
  more: mark,
});

export type ShownChangedJobs = z.infer<typeof changedJobs>;

const show = ({ hasMore, ...counts }: ChangedJobs): ShownChangedJobs => ({ ...counts, more: whenTrue(hasMore) });

/** What people do to many jobs at once, and a model does by their ids. */
export const jobWrites = [
  defineTool({
    name: 'retry_jobs',
    title: 'Retry the failed jobs of a filter',
    effect: 'write',
    description: 'Retries every failed job under a filter, dead ones included; of cancelled ones where it says so.',
    input: jobFilter,
    output: changedJobs,
    handler: async (input, { runtime, actor }) => show(await retryJobs(toJobFilter(input), actor, runtime)),
  }),

  defineTool({
    name: 'cancel_jobs',
    title: 'Cancel the open jobs of a filter',
    effect: 'destroy',
    description: 'Cancels every waiting and running job under a filter.',
    input: jobFilter,
    output: changedJobs,
    handler: async (input, { runtime, actor }) => show(await cancelJobs(toJobFilter(input), actor, runtime)),
  }),
];
