import type { Migration } from '../schema.js';

/** The index of ended tasks has all that their figures are made of, so that these are read from it alone. */
export const taskTimes: Migration = {
  version: 16,
  name: 'task times',
  up: (schema) =>
    schema.exec(`
      drop index tasks_ended;
      create index tasks_ended on tasks
        (status, completed_at desc, id desc, started_at, created_at, worker_id, claimed_by, goal_id)
        where status in ('completed', 'failed', 'cancelled');
    `),
};
