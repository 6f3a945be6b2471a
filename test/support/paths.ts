import { join } from 'node:path';
import { inject } from 'vitest';

export { projectRoot } from './root.js';

/** The built program, as npm installs it. */
export const mainEntry = join(inject('dist'), 'main.js');
export const runnerEntry = join(inject('dist'), 'job-runner.js');
