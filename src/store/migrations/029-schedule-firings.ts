import type { Migration } from '../schema.js';

/** The times of a schedule that have been dealt with: a clock that is set back does not make one of them come again. */
export const scheduleFirings: Migration = {
  version: 29,
  name: 'schedule-firings',
  up: (schema) =>
    schema.exec(`
      -- Of those that come again and again.
      create table schedule_firings (
        schedule_id text not null references schedules (id) on delete cascade,
        due_at integer not null,
        primary key (schedule_id, due_at)
      ) strict, without rowid;
      insert into schedule_firings (schedule_id, due_at)
        select id, last_due_at from schedules
        where cron is not null and last_due_at is not null and last_outcome in ('started', 'skipped');
    `),
};
