import type { Migration } from '../schema.js';

/** The verdict on a result, as JSON (`core/tasks/verdict.ts`), with the task and with the job that worked on it. */
export const verdicts: Migration = {
  version: 3,
  name: 'verdicts',
  up: (connection) =>
    connection.exec(`
      alter table tasks add column verdict text;
      alter table jobs add column verdict text;
    `),
};
