import type { Migration } from '../schema.js';

/** Jobs that share a limit or must be alone, an order in which every job comes to its turn, and the rates of providers. */
export const fairShares: Migration = {
  version: 28,
  name: 'fair-shares',
  up: (schema) =>
    schema.exec(`
      alter table jobs add column concurrency_key text;
      -- How many jobs with its key may run at once over all processes; null without a key.
      alter table jobs add column concurrency_limit integer check (concurrency_limit >= 1);
      -- While it is pending or running no other job of its project has this key.
      alter table jobs add column unique_key text;
      -- Jobs are claimed in this order: milliseconds since 1970 at which it was due, and five minutes for each step that
      -- its priority is below 10.
      alter table jobs add column queue_at integer not null default 0;
      update jobs set queue_at = run_at + (10 - priority) * 300000 where status = 'pending';
      drop index jobs_ready;
      -- The last two tell the jobs of a full key, or of a provider that lets nothing through, without their rows.
      create index jobs_ready on jobs (lane, queue_at, seq, concurrency_key, requires)
        where status = 'pending' and unfinished_dependencies = 0;
      create unique index jobs_one_of_unique_key on jobs (project, unique_key)
        where unique_key is not null and status in ('pending', 'running');
      create index jobs_limited on jobs (type, concurrency, concurrency_key, concurrency_limit)
        where status = 'running' and (concurrency is not null or concurrency_key is not null);

      -- How often a provider of models may be called, for all processes.
      create table rate_limits (
        provider text primary key,
        -- As the config file of the process has it that called last.
        requests_per_minute integer check (requests_per_minute >= 1),
        tokens_per_minute integer check (tokens_per_minute >= 1),
        -- Calls that were begun; tells an answer how many were begun after its own.
        calls integer not null default 0,
        -- As the vendor said it last, less what was begun since; null when it did not say.
        requests_left integer,
        requests_reset_at integer,
        tokens_left integer,
        tokens_reset_at integer,
        -- The vendor wants no call before.
        retry_at integer,
        updated_at integer not null
      ) strict;
      -- What was called in each second of the last minute, for limits of the config file.
      create table rate_uses (
        provider text not null,
        second integer not null,
        requests integer not null,
        tokens integer not null,
        primary key (provider, second)
      ) strict, without rowid;
    `),
};
