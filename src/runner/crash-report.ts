import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makePrivateDirectory } from '../base/private-files.js';
import type { AttemptKey, Outcome } from '../core/jobs/outcome.js';

/**
 * Reads the report that Node, or the watchdog, writes when a runner runs out of memory or does not answer: no other code
 * of the runner runs then.
 */
export function createCrashReports(directory: string, heapMb: number) {
  const fileOf = (runnerId: string) => crashReportFile(directory, runnerId);
  return {
    /**
     * How the job of a runner ended, by its report. A job that needs too much memory fails, because another try would
     * only end the next runner.
     *
     * @param isAlone whether the runner had no other job: only then it is known which one it was
     */
    read({ token }: AttemptKey, runnerId: string, isAlone: boolean): Outcome | undefined {
      const report = readReport(fileOf(runnerId));
      const event = report && String(report.header?.event);
      if (event === blockedEvent) {
        return {
          kind: 'lost',
          message: 'Its runner did not answer for 10 s, because a job held its thread, and was ended.',
        };
      }
      if (event === overdueEvent) return report?.token === token ? overdue(report.seconds) : besideOverdue;
      if (event === undefined || !/out of memory/i.test(event)) return undefined;
      const limit = `more memory than its runner may have (limits.runnerHeapMb is ${heapMb})`;
      if (!isAlone) return { kind: 'lost', message: `Its runner, which carried other jobs too, needed ${limit}.` };
      const message = `The job needed ${limit}, and ended it. Give it less at a time, or raise that limit in the config file.`;
      return { kind: 'failed', code: 'out_of_memory', message, isTransient: false };
    },

    forget: (runnerId: string): void => rmSync(fileOf(runnerId), { force: true }),
  };
}

/** What stands in the report of a runner whose thread was held for too long. */
export const blockedEvent = 'Blocked';

/** What stands in the report of a runner whose thread was held by an attempt beyond its time. */
export const overdueEvent = 'Overdue';

export type CrashReports = ReturnType<typeof createCrashReports>;

export const crashReportFile = (directory: string, runnerId: string): string => join(directory, `${runnerId}.json`);

/** Arguments of Node that make it write a report of a fatal error to a runner's file. */
export function reportArguments(directory: string, runnerId: string): string[] {
  const file = crashReportFile(directory, runnerId);
  return ['--report-on-fatalerror', `--report-directory=${dirname(file)}`, `--report-filename=${basename(file)}`];
}

/**
 * Makes the empty file that Node writes the report to, for its owner alone: Node gives a new file the mode of the umask,
 * and the report shows much of the process.
 */
export function prepareCrashReport(directory: string, runnerId: string): void {
  try {
    makePrivateDirectory(directory);
    closeSync(openSync(crashReportFile(directory, runnerId), 'ax', 0o600));
  } catch {
    // On a disk that takes no file there will be no report either.
  }
}

/** Removes the file of a runner that has nothing to report. */
export function dropEmptyReport(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file, { force: true });
}

const overdue = (seconds: unknown): Outcome => ({
  kind: 'failed',
  code: 'timeout',
  message: `It took longer than its ${seconds} s, and held the thread of its runner, which was ended.`,
  isTransient: true,
  isBlocking: true,
});

const besideOverdue: Outcome = {
  kind: 'lost',
  message: 'Its runner was ended, because another job held its thread beyond its time.',
};

interface Report {
  header?: { event?: unknown };
  /** Of the attempt that was overdue, with its limit. */
  token?: unknown;
  seconds?: unknown;
}

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    // There is no report, or the runner ended while it was written.
    return undefined;
  }
}
