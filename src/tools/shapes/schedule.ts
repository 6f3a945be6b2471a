import { z } from 'zod';
import { cut } from '../../base/text.js';
import {
  firingOutcomes,
  missedPolicies,
  overlapPolicies,
  type Schedule,
  scheduleKinds,
  scheduleStatuses,
} from '../../core/schedules/schedule.js';
import { iso, jsonObject } from '../call/fields.js';
import { pageOutput } from '../call/page.js';

export const scheduleOutput = z.strictObject({
  id: z.string(),
  name: z.string(),
  kind: z.enum(scheduleKinds),
  /** Left out for one that fires once. */
  cron: z.string().optional(),
  timezone: z.string(),
  status: z.enum(scheduleStatuses),
  /** The next times that it is due, in UTC; none while it is paused. */
  next: z.array(z.string()),
  /** How many times it has fired. */
  fired: z.int(),
  last: z
    .strictObject({
      due_at: z.string(),
      outcome: z.enum(firingOutcomes),
      /** The task_id, goal_id or pipeline_id of what it made last. */
      run: z.string().optional(),
      run_status: z.string().optional(),
      /** Why it failed or was skipped. */
      error: z.string().optional(),
    })
    .optional(),
  missed: z.enum(missedPolicies),
  overlap: z.enum(overlapPolicies),
  /** What is submitted each time. */
  request: jsonObject.optional(),
});

export type ShownSchedule = z.infer<typeof scheduleOutput>;

/** A schedule that was just made, changed or acted on. */
export const schedulingOutput = scheduleOutput.extend({
  /** Of run: the task_id, goal_id or pipeline_id of what it made. */
  made: z.string().optional(),
  deleted: z.literal(true).optional(),
});

export const scheduleListOutput = pageOutput(
  'schedules',
  scheduleOutput.partial({ missed: true, overlap: true, timezone: true }),
).extend({
  /** What lives that fires them, or that nothing does and what to start. */
  fired_by: z.string(),
});

export type ShownScheduling = z.infer<typeof schedulingOutput>;
export type ShownScheduleList = z.infer<typeof scheduleListOutput>;

/** A schedule with the next times that it is due. */
export function showSchedule(schedule: Schedule, next: readonly number[], withRequest: boolean): ShownSchedule {
  const { id, name, kind, cron, timezone, status, fired, last, missed, overlap, request } = schedule;
  return {
    id,
    name,
    kind,
    cron: cron ?? undefined,
    timezone,
    status,
    next: next.map((at) => iso(at)),
    fired,
    last: last
      ? {
          due_at: iso(last.dueAt),
          outcome: last.outcome,
          run: last.run ?? undefined,
          run_status: last.runStatus ?? undefined,
          error: last.error === null ? undefined : cut(last.error, 400),
        }
      : undefined,
    missed,
    overlap,
    request: withRequest ? request : undefined,
  };
}
