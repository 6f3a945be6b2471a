import type { Migration } from '../schema.js';

/** What becomes of a job when one that it depends on does not complete, as tasks have it; until now it was cancelled. */
export const jobPolicies: Migration = {
  version: 18,
  name: 'job policies',
  up: (connection) =>
    connection.exec(`
      alter table jobs add column on_dependency_failure text not null default 'cancel'
        check (on_dependency_failure in ('block', 'skip', 'run', 'cancel'));
    `),
};
