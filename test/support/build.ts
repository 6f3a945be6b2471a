import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import { bundleInto } from '../../.config/build.mjs';
import { processesWith } from './processes-of.js';
import { projectRoot } from './root.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where this run's build of the program is. */
    dist: string;
    /** What tests of several files share, until the run is over. */
    runDir: string;
  }
}

/** Builds the program once for all tests of this run, apart from dist/, which may be in use or built anew meanwhile. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Inside the project, so that the native driver is found.
  const dist = join(projectRoot, 'node_modules', '.cache', `test-dist-${process.pid}`);
  mkdirSync(dist, { recursive: true });
  await bundleInto(dist);
  project.provide('dist', dist);
  const runDir = mkdtempSync(join(tmpdir(), 'agent-runtime-test-'));
  project.provide('runDir', runDir);
  return async () => {
    const left = await endLeftProcesses(dist);
    for (const path of [dist, runDir]) rmSync(path, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`Tests have left processes behind:\n${left.join('\n')}`);
  };
}

/** Waits for processes of this build to end by themselves; kills those that do not, and resolves to what they were. */
async function endLeftProcesses(dist: string): Promise<string[]> {
  const giveUpAt = performance.now() + 20_000;
  for (;;) {
    const left = processesWith(dist);
    if (left.length === 0) return [];
    if (performance.now() > giveUpAt) {
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      return left.map(({ pid, command, home }) => `${pid} ${command} (home ${home})`);
    }
    await sleep(100);
  }
}
