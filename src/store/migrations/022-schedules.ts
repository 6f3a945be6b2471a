import type { Migration } from '../schema.js';

/** What is submitted at set times: prompts, jobs, goals from a template and relays. */
export const schedules: Migration = {
  version: 22,
  name: 'schedules',
  up: (connection) =>
    connection.exec(`
      create table schedules (
        id text primary key,
        name text not null,
        project text not null default '',
        kind text not null check (kind in ('prompt', 'job', 'goal', 'relay')),
        -- JSON: what is submitted each time.
        request text not null,
        -- What the process that fires it must have, as jobs.requires names it.
        requires text,
        -- Null for one that fires once.
        cron text,
        timezone text not null,
        missed text not null check (missed in ('skip', 'once', 'all')),
        overlap text not null check (overlap in ('skip', 'allow')),
        status text not null check (status in ('active', 'paused', 'ended')),
        next_at integer,
        -- Grows with each change by hand, so that a firing that was prepared before is not done.
        revision integer not null default 0,
        fired integer not null default 0,
        last_due_at integer,
        last_at integer,
        last_outcome text check (last_outcome in ('started', 'skipped', 'failed')),
        -- The id of the job, goal or relay that the last firing made.
        last_run text,
        last_error_code text,
        last_error text,
        created_by text,
        created_at integer not null,
        updated_at integer not null,
        check (status <> 'active' or next_at is not null)
      ) strict;
      create unique index schedules_by_name on schedules (name, project);
      create index schedules_due on schedules (next_at) where status = 'active';
    `),
};
