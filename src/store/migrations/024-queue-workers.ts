import type { Migration } from '../schema.js';

/** Long-lived processes that work the queue, what they have, and what a job asks for. */
export const queueWorkers: Migration = {
  version: 24,
  name: 'queue workers',
  up: (connection) =>
    connection.exec(`
      create table queue_workers (
        id text primary key,
        state text not null check (state in ('running', 'draining', 'ended', 'lost')),
        host_id text not null,
        boot_id text not null,
        pid_namespace text not null,
        pid integer not null,
        process_started text not null,
        -- JSON: the job types that it takes; null for all.
        types text,
        -- JSON: what it has beside providers and modules, such as gpu.
        provides text not null,
        calls integer not null,
        processes integer not null,
        -- Where it answers /healthz and /metrics.
        url text,
        started_at integer not null,
        heartbeat_at integer not null,
        heartbeat_tick integer not null,
        ended_at integer
      ) strict;
      alter table runners add column worker_id text;
      -- What the worker must have that takes the job; null: any process may.
      alter table jobs add column needs text;
    `),
};
