import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** The built program, as npm installs it. */
export const mainEntry = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
export const runnerEntry = fileURLToPath(new URL('../../dist/job-runner.js', import.meta.url));
