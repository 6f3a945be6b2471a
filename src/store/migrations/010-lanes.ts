import type { Migration } from '../schema.js';

/**
 * Lanes: a runner carries many calls of models at once, or one job of another kind. A job that must not share its process
 * is in the lane `process`; one that has lost a runner is put there too.
 */
export const lanes: Migration = {
  version: 10,
  name: 'lanes',
  up: (connection) =>
    connection.exec(`
      alter table jobs add column lane text not null default 'process' check (lane in ('call', 'process'));
      update jobs set lane = 'call' where status in ('pending', 'running') and coalesce(requires, '') <> 'claude-code'
        and type in ('llm', 'decompose', 'verify', 'relay_step', 'generic', 'run_goal');
      drop index jobs_ready;
      create index jobs_ready on jobs (lane, priority desc, run_at, seq)
        where status = 'pending' and unfinished_dependencies = 0;

      alter table runners add column lane text not null default 'process' check (lane in ('call', 'process'));
      -- How many jobs it carries at once; 0 when it takes no more.
      alter table runners add column capacity integer not null default 1 check (capacity >= 0);
    `),
};
