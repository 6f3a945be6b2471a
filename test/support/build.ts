import { execFileSync } from 'node:child_process';
import { projectRoot } from './paths.js';

/** Builds dist/ once before the tests, as those of whole processes run what users run. */
export default function setup(): void {
  execFileSync(process.execPath, ['.config/build.mjs'], { cwd: projectRoot, stdio: 'inherit' });
}
