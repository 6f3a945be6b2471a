import { hasEnded } from '../../core/jobs/job.js';
import { commandName } from '../connect-lines.js';
import type { GlobalFlags } from '../global-flags.js';
import { type Output, printable } from '../output.js';
import type { Caller } from '../tool/with-caller.js';
import { followJob } from './follow-job.js';
import { createProgressLine, type ProgressLine } from './progress-line.js';
import { readStatus } from './read-status.js';
import { artifactLines, toDocument } from './show-status.js';

/** Waits for a job, showing how it goes on, and prints how it ended; the exit code is 1 unless it has completed. */
export async function waitForEnd(id: string, caller: Caller, flags: GlobalFlags, output: Output): Promise<void> {
  const line: ProgressLine = flags.isQuiet ? { show() {}, end() {} } : createProgressLine(process.stderr);
  const { status } = await followJob(id, caller, line.show).finally(() => line.end());
  const job = await readStatus(id, caller);
  if (flags.isJson) output.printJson(toDocument(job));
  if (!hasEnded(status)) {
    sayItGoesOn(id, job.status, output);
    return;
  }
  if (status !== 'completed') process.exitCode ||= 1;
  if (flags.isJson) return;
  for (const warning of flags.isQuiet ? [] : (job.warnings ?? [])) {
    output.say(`${output.paintAside('yellow', 'warning:')} ${printable(warning)}`);
  }
  if (job.error) {
    const { code, message } = job.error;
    output.say(`${output.paintAside('red', 'error:')} ${code}: ${printable(message)}`);
  }
  output.print(`Job ${status}: ${id}`);
  for (const artifact of artifactLines(job)) output.quote(artifact);
}

/** After Ctrl-C: only the looking has ended. */
export function sayItGoesOn(id: string, status: string, output: Output): void {
  output.say(
    `Job ${id} is ${status} and goes on without this command. ` +
      `\`${commandName} wait --job-id ${id}\` waits again, \`${commandName} cancel --job-id ${id}\` ends it.`,
  );
}
