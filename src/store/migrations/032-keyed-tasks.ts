import type { Migration } from '../schema.js';

/** Most tasks have no key: each of them was an entry of the index of keys all the same, and one page more to write. */
export const keyedTasks: Migration = {
  version: 32,
  name: 'keyed tasks',
  up: (schema) =>
    schema.exec(`
      drop index tasks_by_key;
      create unique index tasks_by_key on tasks (key, project) where key is not null;
    `),
};
