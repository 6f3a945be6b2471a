import { Worker } from 'node:worker_threads';

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
    lastWords: JSON.stringify({ header: { event: 'Out of memory' } }),
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
      writeFileSync(workerData.file, workerData.lastWords, { mode: 0o600 });
    } finally {
      process.kill(process.pid, 'SIGKILL');
    }
  }, 100);`;
