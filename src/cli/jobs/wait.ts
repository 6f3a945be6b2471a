import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from '../../core/jobs/job.js';
import type { JobProgress } from '../../core/jobs/read-jobs.js';
import type { CommandContext } from '../define-command.js';
import { commandName } from '../launch.js';
import { type Output, printable } from '../output.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { readSettingOf } from '../with-runtime.js';
import { type NamedJob, requireJob, wholeJobId } from './named-job.js';
import { createProgressLine, type ProgressLine } from './progress-line.js';
import { artifactLines, readStatus, toDocument } from './status.js';

export async function runWait(named: NamedJob, context: CommandContext): Promise<void> {
  await withNamedJob(named, context, (id, caller) => waitForEnd(id, caller, context));
}

/** Runs `body` with the whole id of the job that is meant. Ctrl-C ends the command at once, as it only looks on. */
export async function withNamedJob(
  named: NamedJob,
  { flags, output }: CommandContext,
  body: (id: string, caller: Caller) => Promise<void>,
): Promise<void> {
  const given = requireJob(named);
  const look = async (caller: Caller) => body(await wholeJobId(caller.runtime, given), caller);
  await withCaller(readSettingOf(flags), flags, output, look, { isAnnounced: false });
}

/** Waits for a job while showing its progress, and prints how it ended. The exit code is 1 unless it has completed. */
export async function waitForEnd(
  id: string,
  caller: Caller,
  { flags, output }: Pick<CommandContext, 'flags' | 'output'>,
): Promise<void> {
  const line: ProgressLine = flags.isQuiet ? { show() {}, end() {} } : createProgressLine(process.stderr);
  const { status } = await followJob(id, caller, line.show).finally(() => line.end());
  const job = await readStatus(id, caller);
  if (flags.isJson) output.printJson(toDocument(job));
  if (!hasEnded(status)) {
    sayJobGoesOn(id, job.status, output);
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

/** After Ctrl-C: this command ends, and the job goes on. */
export function sayJobGoesOn(id: string, status: string, output: Output): void {
  output.say(
    `Job ${id} is ${status} and goes on without this command. ` +
      `\`${commandName} wait ${id}\` waits again, \`${commandName} cancel ${id}\` ends it.`,
  );
}

const pollMs = 100;
const sweepMs = 5_000;

/**
 * Polls a job until it has ended or the command is interrupted; resolves to its last state. Throws `not_found`. It also
 * sweeps the queue as a session does, because no other process may be running to notice that a runner has died.
 */
export async function followJob(
  id: string,
  { runtime, actor, signal }: Pick<Caller, 'runtime' | 'actor' | 'signal'>,
  onPoll: (progress: JobProgress) => void | Promise<void>,
): Promise<JobProgress> {
  let sweptAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const progress = await runtime.jobs.progress(id);
    await onPoll(progress);
    if (hasEnded(progress.status) || signal.aborted) return progress;
    if (!runtime.config.isReadOnly && performance.now() - sweptAt >= sweepMs) {
      sweptAt = performance.now();
      await runtime.maintenance.runOnce(undefined, actor);
    }
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}
