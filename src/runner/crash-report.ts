import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Outcome } from '../core/jobs/outcome.js';

/**
 * Reads the report that Node, or the thread of `watchMemory`, writes when a runner runs out of memory: no other code of
 * the runner runs then. The job fails, because another try would only end the next runner.
 */
export function createCrashReports(directory: string, heapMb: number) {
  const fileOf = (runnerId: string) => crashReportFile(directory, runnerId);
  return {
    read(runnerId: string): Outcome | undefined {
      const event = readEvent(fileOf(runnerId));
      if (event === undefined || !/out of memory/i.test(event)) return undefined;
      const message =
        `The job needed more memory than its runner may have (limits.runnerHeapMb is ${heapMb}), and ended it. ` +
        'Give it less at a time, or raise that limit in the config file.';
      return { kind: 'failed', code: 'out_of_memory', message, isTransient: false };
    },

    forget: (runnerId: string): void => rmSync(fileOf(runnerId), { force: true }),
  };
}

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
    closeSync(openSync(crashReportFile(directory, runnerId), 'ax', 0o600));
  } catch {
    // On a disk that takes no file there will be no report either.
  }
}

/** Removes the file of a runner that has nothing to report. */
export function dropEmptyReport(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file, { force: true });
}

function readEvent(path: string): string | undefined {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as { header?: { event?: unknown } };
    return String(report.header?.event);
  } catch {
    // There is no report, or the runner ended while it was written.
    return undefined;
  }
}

export interface MemoryLimit {
  /** The memory that the process may have in all, megabytes. */
  limitMb: number;
  /** The crash report to write when it has more. */
  file: string;
}

/**
 * Ends the process when it has more memory than the limit. V8's own limit does not count what lies outside its heap, such
 * as buffers. A thread of its own watches, because an agent that allocates in a loop blocks the timers of its thread.
 */
export function watchMemory({ limitMb, file }: MemoryLimit): void {
  const workerData = {
    limit: limitMb * 1_000_000,
    file,
    report: JSON.stringify({ header: { event: 'Out of memory' } }),
  };
  const worker = new Worker(source, { eval: true, execArgv: [], workerData });
  worker.unref();
  // A runner works without it too.
  worker.on('error', () => {});
}

const source = `
  const { workerData } = require('node:worker_threads');
  const { writeFileSync } = require('node:fs');
  setInterval(() => {
    if (process.memoryUsage.rss() < workerData.limit) return;
    try {
      writeFileSync(workerData.file, workerData.report, { mode: 0o600 });
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
  }, 100);`;
