import type { z } from 'zod';
import { type ShownSchedule, scheduleListOutput, schedulingOutput } from '../../tools/shapes/schedule.js';
import type { CommandContext } from '../define-command.js';
import { callFor, jobTool } from '../jobs/job-tool.js';
import { readJsonObject } from '../read-json-object.js';
import { type Column, printTable, relativeIso } from '../table.js';
import { withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';

/** Prints the schedules of the project, or of all. */
export async function listSchedules({ isAll }: { isAll: boolean }, context: CommandContext): Promise<void> {
  const { flags, output } = context;
  const schedules: z.output<typeof scheduleListOutput>['schedules'] = [];
  const firedBy = await withCaller(settingOf(flags), flags, output, async (caller) => {
    for (let cursor: string | undefined; ; ) {
      const input = { scope: isAll ? 'all' : 'project', cursor };
      const page = await callFor(caller, 'list_schedules', input, scheduleListOutput);
      schedules.push(...page.schedules.map((schedule) => ({ ...page.defaults, ...schedule })));
      cursor = page.next_cursor;
      if (cursor === undefined) return page.fired_by;
    }
  });
  if (context.wantsJson) return output.printJson({ schedules, count: schedules.length, fired_by: firedBy });
  if (schedules.length === 0) return output.print('There are no schedules here; `schedule add` makes one.');
  printTable(output, columnsAt(Date.now()), schedules);
  if (!flags.isQuiet) output.say(`Fired by ${firedBy}.`);
}

type Listed = z.output<typeof scheduleListOutput>['schedules'][number];

const columnsAt = (now: number): Column<Listed>[] => [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'SUBMITS', value: ({ kind }) => kind },
  { title: 'WHEN', value: ({ cron, timezone }) => (cron === undefined ? 'once' : `${cron} ${timezone ?? ''}`) },
  { title: 'NEXT', value: ({ status, next }) => (next[0] === undefined ? status : relativeIso(next[0], now)) },
  { title: 'FIRED', value: ({ fired }) => String(fired), isNumber: true },
  { title: 'LAST', value: ({ last }) => (last ? relativeIso(last.due_at, now) : '') },
  {
    title: 'OUTCOME',
    value: ({ last }) => (last ? (last.error ?? `${last.outcome}: ${last.run_status ?? 'deleted'}`) : ''),
    isText: true,
  },
];

/** The options of `schedule add`, as they were typed. */
export interface AddOptions {
  name: string;
  prompt: string | undefined;
  kind: string | undefined;
  request: string | undefined;
  cron: string | undefined;
  timezone: string | undefined;
  at: string | undefined;
  missed: string | undefined;
  overlap: string | undefined;
}

/** Makes or changes a schedule. */
export async function addSchedule({ prompt, at, request, ...options }: AddOptions, context: CommandContext) {
  const { flags, output } = context;
  const setting = settingOf(flags);
  jobTool('schedule', setting.config);
  const given = request === undefined ? undefined : readJsonObject('--request', request);
  const input = {
    ...options,
    kind: options.kind ?? (prompt === undefined ? undefined : 'prompt'),
    request: prompt === undefined ? given : { task_description: prompt, ...given },
    run_at: at,
  };
  const { schedule, firedBy } = await withCaller(setting, flags, output, async (caller) => ({
    schedule: await callFor(caller, 'schedule', input, schedulingOutput),
    firedBy: await caller.runtime.scheduler.whoFires(),
  }));
  if (flags.isJson) return output.printJson(schedule);
  output.print(`Schedule ${schedule.name}: ${describeNext(schedule)}`);
  if (!flags.isQuiet) output.say(`Fired by ${firedBy}.`);
}

/** `schedule pause`, `resume`, `run` and `delete`. */
export function actOnSchedule(action: string) {
  return async ({ name }: { name: string }, { flags, output }: CommandContext): Promise<void> => {
    const schedule = await withCaller(settingOf(flags), flags, output, (caller) =>
      callFor(caller, 'schedule', { name, action }, schedulingOutput),
    );
    if (flags.isJson) return output.printJson(schedule);
    if (schedule.deleted) return output.print(`Schedule deleted: ${name}`);
    if (schedule.made !== undefined)
      return output.print(`Schedule ${name} has made ${schedule.kind} ${schedule.made}.`);
    output.print(`Schedule ${name}: ${describeNext(schedule)}`);
  };
}

function describeNext({ status, next }: Pick<ShownSchedule, 'status' | 'next'>): string {
  return next[0] === undefined ? `${status}.` : `next at ${next.join(', ')}.`;
}
