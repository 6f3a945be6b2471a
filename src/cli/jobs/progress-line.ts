import type { JobProgress } from '../../core/jobs/read-jobs.js';
import { printable } from '../output.js';

/** Where progress is shown: stderr, or a stream of a test. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface ProgressLine {
  show(progress: JobProgress): void;
  /** Clears the line, so that other output can follow. */
  end(): void;
}

const barWidth = 24;
const plainEveryMs = 5_000;

/** Shows a job's progress: in a terminal one line that changes, elsewhere a new line for each change, every 5 s at most. */
export function createProgressLine(stream: ProgressStream, now: () => number = () => performance.now()): ProgressLine {
  return stream.isTTY ? bar(stream, now) : plainLines(stream, now);
}

function bar(stream: ProgressStream, now: () => number): ProgressLine {
  const startedAt = now();
  let shown = '';
  return {
    show(progress) {
      const seconds = Math.floor((now() - startedAt) / 1000);
      const line = cutTo(`${drawBar(progress)}  ${seconds} s`, stream.columns || 80);
      if (line === shown) return;
      shown = line;
      // Go back to the start of the line and clear it.
      stream.write(`\r\u001b[K${line}`);
    },
    end() {
      if (shown !== '') stream.write('\r\u001b[K');
      shown = '';
    },
  };
}

function drawBar(progress: JobProgress): string {
  const filled = Math.round((progress.progress ?? 0) * barWidth);
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${describe(progress)}`;
}

/** Shorter than the terminal is wide: a longer line would make it scroll. */
function cutTo(line: string, columns: number): string {
  return line.slice(0, Math.max(1, columns - 1));
}

function plainLines(stream: ProgressStream, now: () => number): ProgressLine {
  let shown = '';
  let status = '';
  let shownAt = 0;
  return {
    show(progress) {
      const line = describe(progress);
      if (line === shown) return;
      if (progress.status === status && now() - shownAt < plainEveryMs) return;
      ({ status } = progress);
      shown = line;
      shownAt = now();
      stream.write(`${line}\n`);
    },
    end() {},
  };
}

/** `running  40 %  Epoch 4 of 10` */
function describe({ status, progress, progressMessage, errorMessage }: JobProgress): string {
  const share = progress === null ? '' : `  ${Math.round(progress * 100)} %`;
  // A job that waits after a failed attempt shows the error of that attempt.
  const message = progressMessage ?? (status === 'pending' ? errorMessage : null);
  return `${status}${share}${message === null ? '' : `  ${printable(message).replaceAll(/\s+/g, ' ')}`}`;
}
