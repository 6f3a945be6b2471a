import type { Migration } from '../schema.js';

/** What each attempt of a job has put out, so that attempts can be compared; a job itself has only the last output. */
export const attemptOutput: Migration = {
  version: 26,
  name: 'attempt-output',
  up: (schema) => schema.exec('alter table job_attempts add column output text'),
};
