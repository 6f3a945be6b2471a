import type { Migration } from '../schema.js';

/**
 * Indexes by which the questions about open and unread jobs are answered without reading all open or all ended ones, and
 * a mark of a runner that needs no other beside it.
 *
 * `read_at`, which is null in each entry of its index, is there for the planner of SQLite: without statistics it takes the
 * index with more columns that are equal to something.
 */
export const openJobs: Migration = {
  version: 33,
  name: 'open jobs',
  up: (schema) =>
    schema.exec(`
      drop index jobs_unread;
      create index jobs_unread on jobs (status, read_at, seq, project)
        where read_at is null and status in ('completed', 'failed');
      create index jobs_open_of_submitter on jobs (submitted_by, seq)
        where submitted_by is not null and status in ('pending', 'running');
      -- Since when each is queued: it could not start before it was due.
      create index jobs_queued_since on jobs
        (type, (case when run_at > created_at then run_at else created_at end), unfinished_dependencies, run_tick, run_at)
        where status = 'pending';
      create index jobs_tried on jobs (status, attempt, id, type) where status = 'pending' and attempt > 0;
      -- Until then, by the ticks of its boot, it does the jobs of its lane as fast as they can be written.
      alter table runners add column enough_until_tick integer;
    `),
};
