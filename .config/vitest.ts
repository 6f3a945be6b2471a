import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts', 'test/support/postgres-for-all.ts'],
    // Signals, stdout and native handles belong to a process, not to a thread.
    pool: 'forks',
    // A file leaves nothing behind that the next one of its process could meet; to begin anew for each costs most of a second.
    isolate: false,
    // Most tests wait for other processes, for clients or for timers, and leave a core to others meanwhile.
    maxWorkers: 4,
    // Limits for what never ends: what is slow because the machine does much else is no failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
  },
});
