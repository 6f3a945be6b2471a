import type { Migration } from '../schema.js';

/** Where events go: webhooks and sinks, each with its place among the events, and what could not be delivered yet. */
export const eventTargets: Migration = {
  version: 31,
  name: 'event-targets',
  up: (schema) =>
    schema.exec(`
      create table event_targets (
        id text primary key,
        kind text not null check (kind in ('webhook', 'sink')),
        name text not null,
        url text,
        -- It signs, so it is kept as it is.
        secret text,
        -- Signs beside the new one until then.
        old_secret text,
        old_secret_until integer,
        -- Patterns of kinds of events, as a JSON array.
        events text not null,
        project text,
        goal_id integer,
        status text not null default 'active' check (status in ('active', 'disabled')),
        disabled_why text,
        -- The last event that was dealt with.
        cursor_id integer not null,
        delivered integer not null default 0,
        lost integer not null default 0,
        -- In a row.
        failures integer not null default 0,
        failing_since integer,
        paused_until integer,
        last_error text,
        last_delivered_at integer,
        lease_token text,
        lease_expires_at integer,
        lease_expires_tick integer,
        lease_boot_id text,
        created_at integer not null,
        updated_at integer not null,
        check (kind = 'sink' or (url is not null and secret is not null))
      ) strict;
      create unique index event_targets_by_name on event_targets (kind, name);
      -- What a webhook did not take at once.
      create table event_deliveries (
        id integer primary key autoincrement,
        target_id text not null references event_targets (id) on delete cascade,
        event_id integer not null,
        kind text not null,
        subject text not null,
        body text not null,
        status text not null default 'waiting' check (status in ('waiting', 'dead')),
        attempts integer not null,
        next_at integer not null,
        last_error text,
        created_at integer not null,
        updated_at integer not null,
        unique (target_id, event_id)
      ) strict;
      create index event_deliveries_due on event_deliveries (target_id, next_at) where status = 'waiting';
    `),
};
