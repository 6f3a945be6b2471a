import { z } from 'zod';
import { RuntimeError } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import type { Actor } from '../core/actor.js';
import {
  missedPolicies,
  overlapPolicies,
  type Schedule,
  type ScheduleKind,
  scheduleKinds,
} from '../core/schedules/schedule.js';
import type { Runtime } from '../runtime.js';
import { type ScheduleAction, type ScheduleRequest, scheduleActions } from '../services/schedules.js';
import { type Checked, defineTool } from './call/define-tool.js';
import { cursor, metadata, scope, time, toMs, whenTrue } from './call/fields.js';
import { pagedList, projectOf } from './call/page.js';
import { parseInput } from './call/parse-input.js';
import { budgetUsd } from './shapes/cost.js';
import { newJob } from './shapes/new-job.js';
import { newPrompt } from './shapes/new-prompt.js';
import { newRelay } from './shapes/new-relay.js';
import { scheduleListOutput, schedulingOutput, showSchedule } from './shapes/schedule.js';

const name = z.string().trim().min(1).max(200).describe('The name of the schedule.');
const model = z.string().min(1).max(200).optional();
const run = z.boolean().optional();

/** What each kind of schedule submits. */
const requests: Readonly<Record<ScheduleKind, { name: string; input: z.ZodObject }>> = {
  prompt: { name: 'submit_background_task', input: newPrompt },
  job: { name: 'submit_job', input: newJob },
  goal: {
    name: 'a goal from a template',
    input: z.strictObject({
      name: z.string().trim().min(1).max(500),
      description: z.string().max(100_000).optional(),
      template: z.string().min(1).max(200),
      parameters: z.record(z.string(), z.string().max(20_000)).optional(),
      run,
      model,
      concurrency: z.int().min(1).max(20).optional(),
      token_budget: z.int().min(1).max(1_000_000_000).optional(),
      budget_usd: budgetUsd.optional(),
    }),
  },
  relay: { name: 'create_relay_pipeline', input: newRelay.extend({ run, model, judge_model: model }) },
};

/** A request as its tool takes it, checked, and as its schedule stores it. */
function readRequest(kind: ScheduleKind, given: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(parseInput(requests[kind] as Checked, given)));
}

/** Work that is submitted at set times. */
export const scheduleTools = [
  defineTool({
    name: 'schedule',
    title: 'Schedule work',
    effect: 'destroy',
    isExternal: true,
    description: 'Submits work at set times, or changes the schedule of that name. Next: list_schedules.',
    input: z.strictObject({
      name,
      kind: z.enum(scheduleKinds).optional().describe('What it submits.'),
      request: metadata
        .optional()
        .describe(
          'What submit_background_task, submit_job or create_relay_pipeline takes; goal: name, template, parameters. Goals and relays run by model, or run: false.',
        ),
      cron: z
        .string()
        .max(200)
        .optional()
        .describe('Minute, hour, day of the month, month, day of the week: 0 9 * * 1-5.'),
      timezone: z.string().max(100).optional().describe("Such as Europe/Berlin; this machine's unless given."),
      run_at: time.optional().describe('Instead of cron: once, then. ISO 8601 with a zone.'),
      missed: z
        .enum(missedPolicies)
        .optional()
        .describe('Times at which nothing lived to fire it: skip, once for all (default), or all, the last ten.'),
      overlap: z
        .enum(overlapPolicies)
        .optional()
        .describe('When what it made last is still at work: skip (default), or allow.'),
      action: z.enum(scheduleActions).optional().describe('Alone, with name.'),
    }),
    output: schedulingOutput,
    handler: async ({ request, run_at, action, ...input }, { runtime, actor }) => {
      const given = { ...input, request: request as JsonObject | undefined, runAt: toMs(run_at) };
      const { schedule, next, run } = await scheduleOrAct({ given, action }, actor, runtime);
      return { ...showSchedule(schedule, next, false), made: run, deleted: whenTrue(action === 'delete') };
    },
  }),

  defineTool({
    name: 'list_schedules',
    title: 'List schedules',
    effect: 'read',
    description: 'Lists schedules: next times, last outcomes, what fires them.',
    input: z.strictObject({ name: name.optional(), scope: scope.optional(), cursor }),
    output: scheduleListOutput,
    handler: async ({ name: only, ...input }, { runtime, actor }) => {
      const project = projectOf(actor, input.scope);
      const page = await pagedList('schedules', input, {
        byDefault: 20,
        read: (limit) => runtime.scheduler.list({ name: only, project, limit, afterName: input.cursor }),
        total: () => runtime.schedules.count({ project }),
        show: ({ schedule, next }) => showSchedule(schedule, next, only !== undefined),
        placeOf: ({ schedule }) => schedule.name,
        spared: ['missed', 'overlap', 'timezone'],
      });
      return { ...page, fired_by: await runtime.scheduler.whoFires() };
    },
  }),
];

/** Makes or changes a schedule, or acts on one. Throws `invalid` for both at once. */
async function scheduleOrAct(
  { given, action }: { given: ScheduleRequest; action: ScheduleAction | undefined },
  actor: Actor,
  { scheduler, schedules }: Runtime,
): Promise<{ schedule: Schedule; next: readonly number[]; run?: string | undefined }> {
  const { name, ...changes } = given;
  if (action !== undefined) {
    const both = Object.entries(changes).find(([, value]) => value !== undefined);
    if (both)
      throw new RuntimeError('invalid', `action and ${both[0]} are two calls.`, 'Give action alone, with name.');
    const done = await scheduler.act(name, action, actor);
    return { ...done, next: action === 'delete' ? [] : await scheduler.nextTimes(done.schedule) };
  }
  const kind = given.kind ?? (await schedules.find(name, actor.project))?.kind;
  const request = kind && given.request ? readRequest(kind, given.request) : given.request;
  const schedule = await scheduler.save({ ...given, request }, actor);
  return { schedule, next: await scheduler.nextTimes(schedule) };
}
