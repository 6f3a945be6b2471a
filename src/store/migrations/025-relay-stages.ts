import type { Migration } from '../schema.js';

/** Steps of a relay that work beside each other, each with a baton of its own, and steps that a person lets pass. */
export const relayStages: Migration = {
  version: 25,
  name: 'relay stages',
  up: (connection) =>
    connection.exec(`
      -- It works beside the step before it, from the same input.
      alter table relay_steps add column is_parallel integer not null default 0 check (is_parallel in (0, 1));
      -- Its output waits for a person after it has passed its gates.
      alter table relay_steps add column needs_approval integer not null default 0 check (needs_approval in (0, 1));
      -- Since when the output that was handed in with it waits for a person.
      alter table relay_batons add column approval_asked_at integer;
      drop index relay_batons_one_open;
      create unique index relay_batons_one_open on relay_batons (pipeline_id, step_index)
        where status in ('pending', 'in_progress', 'waiting');
    `),
};
