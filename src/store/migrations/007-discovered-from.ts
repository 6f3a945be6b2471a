import type { Migration } from '../schema.js';

/** The task during whose work another was discovered: a link that blocks neither. */
export const discoveredFrom: Migration = {
  version: 7,
  name: 'discovered from',
  up: (connection) =>
    connection.exec(`
      alter table tasks add column discovered_from integer references tasks (id) on delete set null;
      create index tasks_by_discovery on tasks (discovered_from) where discovered_from is not null;
    `),
};
