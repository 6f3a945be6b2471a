import type { Migration } from '../schema.js';

/** The index of ended jobs has all that trends are made of, so that these are read from it alone. */
export const jobTimes: Migration = {
  version: 17,
  name: 'job times',
  up: (schema) =>
    schema.exec(`
      drop index jobs_by_end;
      create index jobs_by_end on jobs
        (completed_at, type, status, started_at, created_at, input_tokens, output_tokens) where completed_at is not null;
    `),
};
