import { hasEnded } from '../../core/jobs/job.js';
import type { JobProgress, LogEntry } from '../../core/jobs/read-jobs.js';
import type { CommandContext } from '../define-command.js';
import type { Caller } from '../tool/with-caller.js';
import type { NamedJob } from './named-job.js';
import { followJob, sayJobGoesOn, withNamedJob } from './wait.js';

const page = 500;

export interface LogsOptions extends NamedJob {
  isFollowed: boolean;
}

/** Prints a job's log. When it is followed, new entries are printed as they come, until the job has ended. */
export async function runLogs({ isFollowed, ...named }: LogsOptions, context: CommandContext): Promise<void> {
  const { flags, output } = context;
  await withNamedJob(named, context, async (id, caller) => {
    if (!isFollowed) return printLog(id, caller, context);
    const { status, errorCode, errorMessage } = await followLog(id, caller, context);
    if (!hasEnded(status)) return sayJobGoesOn(id, status, output);
    const reason = status === 'completed' || errorCode === null ? '' : ` ${errorCode}: ${errorMessage}`;
    if (!flags.isQuiet) output.say(`Job ${status}: ${id}.${reason}`);
  });
}

async function printLog(id: string, { runtime }: Caller, { flags, output }: CommandContext): Promise<void> {
  const { status } = await runtime.jobs.progress(id);
  const entries: LogEntry[] = [];
  for (;;) {
    const more = await runtime.jobs.logsAfter(id, entries.at(-1)?.id ?? 0, page);
    entries.push(...more);
    if (more.length < page) break;
  }
  if (flags.isJson) output.printJson({ job_id: id, status, logs: entries.map(toDocument) });
  else for (const entry of entries) output.quote(render(entry));
}

function followLog(id: string, caller: Caller, { flags, output }: CommandContext): Promise<JobProgress> {
  let lastId = 0;
  // followJob reads the status before these entries, so the entries of a job that has ended are complete.
  return followJob(id, caller, async () => {
    for (;;) {
      const entries = await caller.runtime.jobs.logsAfter(id, lastId, page);
      // One document a line, because a list would only be complete at the end.
      for (const entry of entries) output.quote(flags.isJson ? JSON.stringify(toDocument(entry)) : render(entry));
      lastId = entries.at(-1)?.id ?? lastId;
      if (entries.length < page) return;
    }
  });
}

function toDocument({ at, level, message, fields }: LogEntry) {
  return {
    timestamp: new Date(at).toISOString(),
    level,
    message,
    ...(fields === null ? {} : { fields: JSON.parse(fields) }),
  };
}

/** A line, and below it the stack of an error. */
function render({ at, level, message, fields }: LogEntry): string {
  const line = `${new Date(at).toISOString()}  ${level.padEnd(5)}  ${message}`;
  if (fields === null) return line;
  const { stack, ...others } = JSON.parse(fields) as Record<string, unknown>;
  const shown = Object.keys(others).length === 0 ? line : `${line}  ${JSON.stringify(others)}`;
  if (typeof stack !== 'string') return stack === undefined ? shown : `${line}  ${fields}`;
  return [shown, ...stack.split('\n').map((frame) => `  ${frame}`)].join('\n');
}
