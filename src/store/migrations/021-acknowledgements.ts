import type { Migration } from '../schema.js';

/** What people have taken note of, so that it asks for them no longer: until it happens again, after `at`. */
export const acknowledgements: Migration = {
  version: 21,
  name: 'acknowledgements',
  up: (connection) =>
    connection.exec(`
      create table acknowledgements (
        kind text not null,
        -- Of the task, job, relay, breaker, goal or message.
        subject_id text not null,
        at integer not null,
        primary key (kind, subject_id)
      ) strict, without rowid`),
};
