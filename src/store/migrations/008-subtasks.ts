import type { Migration } from '../schema.js';

/** The task that another is a part of. Parts are dependencies of the whole, so that it waits for them. */
export const subtasks: Migration = {
  version: 8,
  name: 'subtasks',
  up: (connection) =>
    connection.exec(`
      alter table tasks add column parent_id integer references tasks (id) on delete set null;
      create index tasks_by_parent on tasks (parent_id) where parent_id is not null;
    `),
};
