import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleInto } from '../../.config/build.mjs';
import { projectRoot } from './root.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where this run's build of the program is. */
    dist: string;
  }
}

/** Builds the program once for all tests of this run, apart from dist/, which may be in use or built anew meanwhile. */
export default async function setup(project: TestProject): Promise<() => void> {
  // Inside the project, so that the native driver is found.
  const dist = join(projectRoot, 'node_modules', '.cache', `test-dist-${process.pid}`);
  mkdirSync(dist, { recursive: true });
  await bundleInto(dist);
  project.provide('dist', dist);
  return () => rmSync(dist, { recursive: true, force: true });
}
