import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/support/postgres-for-all.ts'],
    // Signals, stdout and native handles belong to a process, not to a thread.
    pool: 'forks',
    // Most tests wait for other processes, for clients or for timers, and leave a core to others meanwhile.
    maxWorkers: 3,
    // Real processes on a machine that others use too: what passes only the second time is named in the report.
    retry: 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
