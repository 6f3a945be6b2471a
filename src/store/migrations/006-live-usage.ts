import type { Migration } from '../schema.js';

/** The tokens of a model call that is under way, for those who look on. `input_tokens` and its kin are those of ended calls. */
export const liveUsage: Migration = {
  version: 6,
  name: 'live usage',
  up: (connection) => {
    connection.exec(`
      alter table job_attempts add column live_input_tokens integer not null default 0;
      alter table job_attempts add column live_output_tokens integer not null default 0;
    `);
  },
};
