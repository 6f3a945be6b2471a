import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from '../../core/jobs/job.js';
import type { JobProgress } from '../../core/jobs/read-jobs.js';
import type { GlobalFlags } from '../global-flags.js';
import { commandName } from '../launch.js';
import { type Output, printable } from '../output.js';
import { type Caller, withCaller } from '../tool/with-caller.js';
import { settingOf } from '../with-runtime.js';
import { createProgressLine, type ProgressLine } from './progress-line.js';
import { artifactLines, readStatus, toDocument } from './status.js';

export async function runWait(id: string, flags: GlobalFlags, output: Output): Promise<void> {
  await withCaller(settingOf(flags), flags, output, (caller) => waitForEnd(id, caller, flags, output), {
    isAnnounced: false,
  });
}

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

const lookMs = 100;
const sweepMs = 5_000;

/**
 * Looks at a job until it has ended or the command is interrupted; resolves to how it stands then. Throws `not_found`.
 * The queue is looked after meanwhile, as a session would: no other process may be there to notice a lost runner.
 */
export async function followJob(
  id: string,
  { runtime, actor, signal }: Pick<Caller, 'runtime' | 'actor' | 'signal'>,
  look: (progress: JobProgress) => void | Promise<void>,
): Promise<JobProgress> {
  let sweptAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const progress = await runtime.jobs.progress(id);
    await look(progress);
    if (hasEnded(progress.status) || signal.aborted) return progress;
    if (!runtime.config.isReadOnly && performance.now() - sweptAt >= sweepMs) {
      sweptAt = performance.now();
      await runtime.maintenance.runOnce(undefined, actor);
    }
    await sleep(lookMs, undefined, { signal }).catch(() => {});
  }
}
