import { hasEnded } from '../../core/jobs/job.js';
import type { JobProgress, LogEntry } from '../../core/jobs/read-jobs.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { followJob, sayItGoesOn } from './wait.js';

const page = 500;

/** Prints a job's log; when it is followed, each line as it comes, until the job has ended. */
export async function runLogs(id: string, isFollowed: boolean, flags: GlobalFlags, output: Output): Promise<void> {
  await withCaller(
    settingOf(flags),
    flags,
    output,
    async (caller) => {
      if (!isFollowed) return printLog(id, caller, flags, output);
      const { status, errorCode, errorMessage } = await followLog(id, caller, flags, output);
      if (!hasEnded(status)) return sayItGoesOn(id, status, output);
      const reason = status === 'completed' || errorCode === null ? '' : ` ${errorCode}: ${errorMessage}`;
      if (!flags.isQuiet) output.say(`Job ${status}: ${id}.${reason}`);
    },
    { isAnnounced: false },
  );
}

async function printLog(id: string, { runtime }: Caller, flags: GlobalFlags, output: Output): Promise<void> {
  const { status } = await runtime.jobs.progress(id);
  const lines: LogEntry[] = [];
  for (;;) {
    const more = await runtime.jobs.logsAfter(id, lines.at(-1)?.id ?? 0, page);
    lines.push(...more);
    if (more.length < page) break;
  }
  if (flags.isJson) output.printJson({ job_id: id, status, logs: lines.map(toDocument) });
  else for (const line of lines) output.quote(render(line));
}

function followLog(id: string, caller: Caller, flags: GlobalFlags, output: Output): Promise<JobProgress> {
  let lastId = 0;
  // The status was read before the lines are, so what was written up to the end is among them.
  return followJob(id, caller, async () => {
    for (;;) {
      const lines = await caller.runtime.jobs.logsAfter(id, lastId, page);
      // One document a line: a reader of what goes on cannot wait for the end of a list.
      for (const line of lines) output.quote(flags.isJson ? JSON.stringify(toDocument(line)) : render(line));
      lastId = lines.at(-1)?.id ?? lastId;
      if (lines.length < page) return;
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

function render({ at, level, message, fields }: LogEntry): string {
  return `${new Date(at).toISOString()}  ${level.padEnd(5)}  ${message}${fields === null ? '' : `  ${fields}`}`;
}
