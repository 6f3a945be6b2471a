import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Outcome } from '../core/jobs/outcome.js';

/**
 * What is written about a runner that runs out of memory, by Node or by the thread that watches: no other code of the
 * runner runs any more. Tried again, a job that needs too much memory would only end the next runner, so it fails.
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

/** The arguments by which Node writes a report of a fatal error to the file of a runner. */
export function reportArguments(directory: string, runnerId: string): string[] {
  const file = crashReportFile(directory, runnerId);
  return ['--report-on-fatalerror', `--report-directory=${dirname(file)}`, `--report-filename=${basename(file)}`];
}

function readEvent(path: string): string | undefined {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as { header?: { event?: unknown } };
    return String(report.header?.event);
  } catch {
    // It ended in another way, or while it was writing this.
    return undefined;
  }
}

export interface MemoryLimit {
  /** All memory that the process may have, megabytes. */
  limitMb: number;
  /** Where the reason is left when it has more. */
  file: string;
}

/**
 * What lies outside V8's heap, such as buffers, its own limit does not count. A thread of its own looks at all of it,
 * because an agent that allocates in a loop lets no timer of its own thread run, and ends the process past the limit.
 */
export function watchMemory({ limitMb, file }: MemoryLimit): void {
  const workerData = {
    limit: limitMb * 1_000_000,
    file,
    report: JSON.stringify({ header: { event: 'Out of memory' } }),
  };
  const watch = new Worker(source, { eval: true, execArgv: [], workerData });
  watch.unref();
  // Without it a runner does its work all the same.
  watch.on('error', () => {});
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
