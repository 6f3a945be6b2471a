import type { Migration } from '../schema.js';

/** Sweeps: jobs that were submitted together over a grid of parameters, to be compared and cancelled together. */
export const sweeps: Migration = {
  version: 13,
  name: 'sweeps',
  up: (connection) =>
    connection.exec(`
      alter table jobs add column sweep text;
      create index jobs_by_sweep on jobs (sweep, seq) where sweep is not null;
    `),
};
