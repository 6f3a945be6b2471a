import type { Migration } from '../schema.js';

/** Which breakers a pending job waits for, so that it can be started as soon as one of them closes. */
export const postponedJobs: Migration = {
  version: 2,
  name: 'postponed jobs',
  up: (connection) => {
    // A JSON array of breaker ids; null when the job does not wait for a breaker.
    connection.exec('alter table jobs add column blocked_by text');
    connection.exec('create index jobs_blocked on jobs (seq) where blocked_by is not null');
  },
};
