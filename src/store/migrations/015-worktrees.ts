import type { Migration } from '../schema.js';

/**
 * Git worktrees that tasks and jobs work in. They outlive the row of their task, so nothing refers to it: a worktree
 * stays known as long as it is on the disk.
 */
export const worktrees: Migration = {
  version: 15,
  name: 'worktrees',
  up: (connection) =>
    connection.exec(`
      create table worktrees (
        id integer primary key autoincrement,
        task_id integer,
        job_id text,
        title text not null,
        -- The directory that all worktrees of the repository share, as git names it.
        repository text not null,
        path text not null unique,
        branch text not null,
        -- What it is merged into; null where it began from a commit of no branch.
        base_branch text,
        base_commit text not null,
        -- A row is written before git is called, so that what a killed process leaves behind is known.
        status text not null
          check (status in ('creating', 'active', 'removing', 'kept', 'merged', 'discarded', 'removed')),
        -- The claim for which it is made.
        claim_token integer,
        -- Where the commits of discarded work stay reachable.
        kept_ref text,
        created_at integer not null,
        updated_at integer not null,
        check ((task_id is null) <> (job_id is null))
      ) strict;
      create unique index worktrees_in_use_by_task on worktrees (task_id) where status in ('active', 'kept');
      create unique index worktrees_in_use_by_job on worktrees (job_id) where status in ('active', 'kept');
      create index worktrees_by_task on worktrees (task_id, id) where task_id is not null;
      create index worktrees_by_status on worktrees (status, id);
    `),
};
