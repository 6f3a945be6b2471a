import type { z } from 'zod';
import { jobOutput, wholeResultOf } from '../../tools/shapes/job.js';
import { showRuntimeStatus } from '../board/runtime-status.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { type Paint, printable } from '../output.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { readSettingOf } from '../with-runtime.js';
import { callFor } from './job-tool.js';
import { givenJob, type NamedJob, wholeJobId } from './named-job.js';

/** Shows a job, or the runtime. As with the earlier job server, a program gets JSON also without --json. */
export async function runStatus(named: NamedJob, context: CommandContext): Promise<void> {
  const given = givenJob(named);
  if (given === undefined) return showRuntimeStatus(context);
  const { flags, output, wantsJson } = context;
  const job = await withCaller(readSettingOf(flags), flags, output, async (caller) =>
    readStatus(await wholeJobId(caller.runtime, given), caller),
  );
  if (wantsJson) output.printJson(toDocument(job));
  else output.print(renderStatus(job, output.paint));
}

/** A job as get_job_status shows it, but with its whole result: unlike a model, a program has no context to fill. */
export async function readStatus(id: string, caller: Caller): Promise<JobStatusOutput> {
  const shown = await callFor(caller, 'get_job_status', { job_id: id }, jobOutput);
  const { left_out: _, ...job } = shown;
  return { ...job, result: await wholeResultOf(shown, caller.runtime.jobs) };
}

export type JobStatusOutput = z.output<typeof jobOutput>;

/** A job as a JSON document. `id` is the name that the earlier job server gave to `job_id`. */
export function toDocument(job: JobStatusOutput) {
  return { id: job.job_id, ...job };
}

/** A job as text. */
export function renderStatus(job: JobStatusOutput, paint: Paint): string {
  const fields: [name: string, value: string | undefined][] = [
    ['type', job.type],
    ['created', job.created_at],
    ['started', job.started_at ?? undefined],
    ['completed', completedAt(job)],
    ['why', job.why],
    ['progress', progressOf(job)],
    ['error', job.error ? `${job.error.code}: ${job.error.message}` : undefined],
    ['metadata', Object.keys(job.metadata).length > 0 ? JSON.stringify(job.metadata) : undefined],
    ...(job.warnings ?? []).map((warning): [string, string] => ['warning', warning]),
  ];
  const lines = [
    ...fields.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(10)} ${value}`])),
    ...section('artifacts', artifactLines(job)),
    ...section('attempts', (job.attempts ?? []).map(attemptLine)),
    ...section(
      'log',
      job.logs.map(({ at, level, message }) => `  ${at}  ${level.padEnd(5)}  ${message}`),
    ),
    ...section(
      'next',
      nextSteps(job).map((step) => `  ${commandName} ${step} ${job.job_id}`),
    ),
  ];
  const head = [
    paint('bold', job.job_id),
    `  ${'status'.padEnd(10)} ${paintStatus(job.status, job.dead ? `${job.status} (dead)` : job.status, paint)}`,
  ];
  return [...head, ...lines.map(printable)].join('\n');
}

/** A line for each artifact of a job: name, size, path. */
export function artifactLines({ artifacts = [] }: Pick<JobStatusOutput, 'artifacts'>): string[] {
  return artifacts.map(({ name, path, size_bytes }) => `  ${name}  ${size_bytes} bytes  ${path}`);
}

const colours = { pending: 'gray', running: 'cyan', completed: 'green', failed: 'red', cancelled: 'yellow' } as const;

/** A text in the colour of a status. */
export function paintStatus(status: string, text: string, paint: Paint): string {
  return status in colours ? paint(colours[status as keyof typeof colours], text) : text;
}

type ShownAttempt = NonNullable<JobStatusOutput['attempts']>[number];

function attemptLine({ attempt, outcome, error = '' }: ShownAttempt): string {
  return `  ${attempt}  ${outcome}  ${error}`.trimEnd();
}

function completedAt({ started_at, completed_at }: JobStatusOutput): string | undefined {
  if (completed_at === null) return undefined;
  const seconds = started_at === null ? undefined : (Date.parse(completed_at) - Date.parse(started_at)) / 1000;
  return seconds === undefined ? completed_at : `${completed_at} (after ${seconds} s)`;
}

function progressOf({ progress, progress_message }: JobStatusOutput): string | undefined {
  if (progress === undefined) return progress_message;
  return [`${Math.round(progress * 100)} %`, ...(progress_message === undefined ? [] : [progress_message])].join('  ');
}

function nextSteps({ status }: JobStatusOutput): string[] {
  if (status === 'completed') return ['result'];
  return status === 'pending' || status === 'running' ? ['wait', 'cancel'] : ['retry'];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`  ${title}`, ...lines.map((line) => `  ${line}`)];
}
