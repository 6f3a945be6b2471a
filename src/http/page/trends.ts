import { z } from 'zod';
import type { Durations } from '../../core/overview/durations.js';
import type { Interval } from '../../core/overview/trends.js';
import { iso } from '../../tools/call/fields.js';

/** `trends`: jobs, tasks, tokens and the queue in equal intervals of a range. Times are ISO 8601. */
export const trends = z.strictObject({
  from: z.string(),
  to: z.string(),
  stretches: z.array(
    z.strictObject({
      /** Its end. */
      at: z.string(),
      submitted: z.int(),
      completed: z.int(),
      failed: z.int(),
      cancelled: z.int(),
      queued: z.int(),
      running: z.int(),
      input_tokens: z.int(),
      output_tokens: z.int(),
      /** Of the jobs that ended in it; null when none did. */
      job_seconds: z.strictObject({ median: z.number(), p95: z.number() }).nullable(),
      tasks_completed: z.int(),
      tasks_failed: z.int(),
      /** From the first start of a task to its completion. */
      task_seconds: z.strictObject({ median: z.number(), p90: z.number() }).nullable(),
    }),
  ),
});

export type Trends = z.infer<typeof trends>;

export function showTrends(
  range: { from: number; to: number },
  intervals: readonly Interval[],
  durations: readonly Durations[],
): Trends {
  return {
    from: iso(range.from),
    to: iso(range.to),
    stretches: intervals.map(({ at, inputTokens, outputTokens, ...counts }, index) => {
      const { jobs = null, tasks = null, tasksCompleted = 0, tasksFailed = 0 } = durations[index] ?? {};
      return {
        at: iso(at),
        ...counts,
        input_tokens: inputTokens,
        output_tokens: outputTokens,
        job_seconds: jobs,
        tasks_completed: tasksCompleted,
        tasks_failed: tasksFailed,
        task_seconds: tasks,
      };
    }),
  };
}
