import { RuntimeError } from '../base/errors.js';
import { costWords } from '../tools/shapes/job-text.js';
import { type ShownMetrics, showMetrics } from '../tools/shapes/metrics.js';
import type { CommandContext } from './define-command.js';
import { parseAge } from './options.js';
import type { Output } from './output.js';
import { type Column, renderTable } from './table.js';
import { readSettingOf, withRuntime } from './with-runtime.js';

export interface MetricsOptions {
  /** An age such as `1h`. */
  window: string;
  isPrometheus: boolean;
}

export async function runMetrics(
  { window, isPrometheus }: MetricsOptions,
  { flags, output, wantsJson }: CommandContext,
): Promise<void> {
  if (isPrometheus && flags.isJson) {
    throw new RuntimeError('invalid', '--json and --prometheus cannot be given together.', 'Give one of them.');
  }
  const windowMs = parseAge(window);
  if (windowMs === 0) throw new RuntimeError('invalid', 'The window has no length.', 'Give 1m or more.');
  await withRuntime(readSettingOf(flags), async ({ metrics }) => {
    if (isPrometheus) return output.write(await metrics.prometheus());
    const shown = showMetrics(await metrics.summary(windowMs));
    if (wantsJson) output.printJson(shown);
    else output.print(metricsTable(shown, window, output));
  });
}

type Shown<Part extends 'types' | 'agents' | 'errors'> = ShownMetrics[Part][number];
type Group = ShownMetrics['tasks']['workers' | 'goals'][number];

const groupColumns: Column<Group>[] = [
  {
    title: 'WORKER OR GOAL',
    value: (row) => ('worker' in row ? row.worker : `goal ${row.goal_id} ${row.name}`),
    isText: true,
  },
  { title: 'COMPLETED', value: ({ completed }) => String(completed), isNumber: true },
  { title: 'TIME (MEDIAN)', value: (row) => duration(row.cycle_seconds.median), isNumber: true },
  { title: 'P90', value: (row) => duration(row.cycle_seconds.p90), isNumber: true },
  { title: 'WAITED (MEDIAN)', value: (row) => duration(row.waiting_seconds.median), isNumber: true },
  { title: 'P90', value: (row) => duration(row.waiting_seconds.p90), isNumber: true },
];

const typeColumns: Column<Shown<'types'>>[] = [
  { title: 'TYPE', value: ({ type }) => type, isText: true },
  { title: 'SUBMITTED/MIN', value: (row) => String(row.submitted_per_minute), isNumber: true },
  { title: 'COMPLETED/MIN', value: (row) => String(row.completed_per_minute), isNumber: true },
  { title: 'AVERAGE', value: (row) => duration(row.average_seconds), isNumber: true },
  { title: 'P95', value: (row) => duration(row.p95_seconds), isNumber: true },
  { title: 'ERRORS', value: (row) => share(row.error_rate), isNumber: true },
  { title: 'CANCELLED', value: (row) => String(row.cancelled), isNumber: true },
  { title: 'RUNNING', value: (row) => String(row.running), isNumber: true },
  { title: 'QUEUED', value: (row) => String(row.queued), isNumber: true },
  { title: 'OLDEST', value: (row) => duration(row.oldest_queued_seconds), isNumber: true },
];

const agentColumns: Column<Shown<'agents'>>[] = [
  { title: 'AGENT', value: ({ agent }) => agent, isText: true },
  { title: 'SLOTS', value: ({ slots }) => String(slots), isNumber: true },
  { title: 'BUSY', value: ({ busy }) => String(busy), isNumber: true },
  { title: 'UTILIZATION', value: ({ utilization }) => share(utilization), isNumber: true },
];

const errorColumns: Column<Shown<'errors'>>[] = [
  { title: 'TYPE', value: ({ type }) => type, isText: true },
  { title: 'CODE', value: ({ code }) => code },
  { title: 'COUNT', value: ({ count }) => String(count), isNumber: true },
];

function tasksInWords({ cycle_seconds, waiting_seconds, ...tasks }: ShownMetrics['tasks']): string[] {
  if (tasks.completed + tasks.failed + tasks.cancelled === 0) return ['No task ended in this time.'];
  const counts = `${tasks.completed} completed (${tasks.completed_per_hour} an hour), ${tasks.failed} failed, ${tasks.cancelled} cancelled.`;
  if (!cycle_seconds || !waiting_seconds) return [counts];
  const { median, p90 } = cycle_seconds;
  return [
    counts,
    `From start to end: median ${duration(median)}, 90 % within ${duration(p90)}.`,
    `From creation to start: median ${duration(waiting_seconds.median)}, 90 % within ${duration(waiting_seconds.p90)}.`,
  ];
}

/** The metrics as tables: by job type, by agent, and by error. */
export function metricsTable(
  { types, agents, errors, cost, tasks, totals }: ShownMetrics,
  window: string,
  { columns, paint }: Pick<Output, 'columns' | 'paint'>,
): string {
  const form = { width: columns(), paint };
  const parts = [
    paint('bold', `Jobs, last ${window}`),
    types.length === 0 ? 'No jobs in this time, and no job is waiting.' : renderTable(typeColumns, types, form),
  ];
  if (agents.length > 0) parts.push('', paint('bold', 'Agents'), renderTable(agentColumns, agents, form));
  if (errors.length > 0) parts.push('', paint('bold', 'Attempts that failed'), renderTable(errorColumns, errors, form));
  if (cost.cost_usd !== undefined) parts.push(`Models: ${costWords(cost).replace(/^, /, '')}.`);
  parts.push('', paint('bold', `Tasks, last ${window}`), ...tasksInWords(tasks));
  const groups = [...tasks.workers, ...tasks.goals];
  if (groups.length > 0) parts.push(renderTable(groupColumns, groups, form));
  parts.push(
    '',
    paint('bold', 'Since the beginning'),
    `${totals.jobs_submitted} jobs submitted: ${totals.jobs_completed} completed, ${totals.jobs_failed} failed, ${totals.jobs_cancelled} cancelled.`,
    `${totals.llm_requests} model calls, ${totals.llm_errors} failed: ${totals.llm_input_tokens} tokens in, ${totals.llm_output_tokens} out${costWords(totals)}.`,
    `${totals.tool_calls} tool calls, ${totals.tool_errors} failed.`,
  );
  return parts.join('\n');
}

function share(value: number | null): string {
  return value === null ? '-' : `${(value * 100).toFixed(1)} %`;
}

function duration(seconds: number | null): string {
  if (seconds === null) return '-';
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
