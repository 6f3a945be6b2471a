import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../core/jobs/outcome.js';

/**
 * What Node writes about a runner that it has to end: of this the file is the only witness, since no code of the runner
 * runs any more. Tried again, a job that needs too much memory would only end the next runner, so it fails.
 */
export function createLastWords(directory: string, heapMb: number) {
  const fileOf = (runnerId: string) => join(directory, `${runnerId}.json`);
  return {
    read(runnerId: string): Outcome | undefined {
      const event = readEvent(fileOf(runnerId));
      if (event === undefined || !/out of memory/i.test(event)) return undefined;
      const message =
        `The job needed more memory than its runner may have (${heapMb} MB), and ended it. ` +
        'Give it less at a time, or raise limits.runnerHeapMb in the config file.';
      return { kind: 'failed', code: 'out_of_memory', message, isTransient: false };
    },

    forget: (runnerId: string): void => rmSync(fileOf(runnerId), { force: true }),
  };
}

export type LastWords = ReturnType<typeof createLastWords>;

/** The arguments by which Node writes a report of a fatal error to the file of a runner. */
export function reportArguments(directory: string, runnerId: string): string[] {
  return ['--report-on-fatalerror', `--report-directory=${directory}`, `--report-filename=${runnerId}.json`];
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
