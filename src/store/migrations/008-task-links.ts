import type { Migration } from '../schema.js';

/**
 * Two links between tasks: the one during whose work another was discovered, which blocks neither, and the one that
 * another is a part of. Parts are dependencies of the whole as well, so that it waits for them.
 */
export const taskLinks: Migration = {
  version: 8,
  name: 'task links',
  up: (connection) =>
    connection.exec(`
      alter table tasks add column discovered_from integer references tasks (id) on delete set null;
      alter table tasks add column parent_id integer references tasks (id) on delete set null;
      create index tasks_by_discovery on tasks (discovered_from) where discovered_from is not null;
      create index tasks_by_parent on tasks (parent_id) where parent_id is not null;
    `),
};
