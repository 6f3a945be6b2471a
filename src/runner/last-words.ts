import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Outcome } from '../core/jobs/outcome.js';

/**
 * What is written about a runner that runs out of memory, by Node or by the thread that watches: no other code of the
 * runner runs any more. Tried again, a job that needs too much memory would only end the next runner, so it fails.
 */
export function createLastWords(directory: string, heapMb: number) {
  const fileOf = (runnerId: string) => lastWordsFile(directory, runnerId);
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

export type LastWords = ReturnType<typeof createLastWords>;

export const lastWordsFile = (directory: string, runnerId: string): string => join(directory, `${runnerId}.json`);

/** The arguments by which Node writes a report of a fatal error to the file of a runner. */
export function reportArguments(directory: string, runnerId: string): string[] {
  const file = lastWordsFile(directory, runnerId);
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
