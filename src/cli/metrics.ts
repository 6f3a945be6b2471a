import { RuntimeError } from '../base/errors.js';
import { type ShownMetrics, showMetrics } from '../tools/shapes/metrics.js';
import type { CommandContext } from './define-command.js';
import { parseAge } from './options.js';
import type { Paint } from './output.js';
import { readSettingOf, withRuntime } from './with-runtime.js';

export interface MetricsOptions {
  /** An age such as `1h`. */
  window: string;
  isPrometheus: boolean;
}

export async function runMetrics(
  { window, isPrometheus }: MetricsOptions,
  { flags, output }: CommandContext,
): Promise<void> {
  if (isPrometheus && flags.isJson) {
    throw new RuntimeError('invalid', '--json and --prometheus cannot be given together.', 'Give one of them.');
  }
  const windowMs = parseAge(window);
  if (windowMs === 0) throw new RuntimeError('invalid', 'The window has no length.', 'Give 1m or more.');
  await withRuntime(readSettingOf(flags), async ({ metrics }) => {
    if (isPrometheus) return output.write(await metrics.prometheus());
    const shown = showMetrics(await metrics.summary(windowMs));
    if (flags.isJson) output.printJson(shown);
    else output.quote(metricsTable(shown, window, output.paint));
  });
}

/** The metrics as tables: by job type, by agent, and by error. */
export function metricsTable(shown: ShownMetrics, window: string, paint: Paint): string {
  const { types, agents, errors, totals } = shown;
  const parts = [
    paint('bold', `Jobs, last ${window}`),
    types.length === 0
      ? 'No jobs in this time, and no job is waiting.'
      : table(
          [
            'type',
            'submitted/min',
            'completed/min',
            'average',
            'p95',
            'errors',
            'cancelled',
            'running',
            'queued',
            'oldest',
          ],
          types.map((type) => [
            type.type,
            String(type.submitted_per_minute),
            String(type.completed_per_minute),
            duration(type.average_seconds),
            duration(type.p95_seconds),
            share(type.error_rate),
            String(type.cancelled),
            String(type.running),
            String(type.queued),
            duration(type.oldest_queued_seconds),
          ]),
        ),
  ];
  if (agents.length > 0) {
    const rows = agents.map(({ agent, slots, busy, utilization }) => [
      agent,
      String(slots),
      String(busy),
      share(utilization),
    ]);
    parts.push('', paint('bold', 'Agents'), table(['agent', 'slots', 'busy', 'utilization'], rows));
  }
  if (errors.length > 0) {
    const rows = errors.map(({ type, code, count }) => [type, code, String(count)]);
    parts.push('', paint('bold', 'Attempts that failed'), table(['type', 'code', 'count'], rows));
  }
  parts.push(
    '',
    paint('bold', 'Since the beginning'),
    `${totals.jobs_submitted} jobs submitted: ${totals.jobs_completed} completed, ${totals.jobs_failed} failed, ${totals.jobs_cancelled} cancelled.`,
    `${totals.llm_requests} model calls, ${totals.llm_errors} failed: ${totals.llm_input_tokens} tokens in, ${totals.llm_output_tokens} out.`,
    `${totals.tool_calls} tool calls, ${totals.tool_errors} failed.`,
  );
  return parts.join('\n');
}

/** Aligns the first column to the left and all others to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return [head, ...rows].map((row) => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
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
