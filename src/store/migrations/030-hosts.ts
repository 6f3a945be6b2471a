import type { Migration } from '../schema.js';

/**
 * For a database that several hosts share: what jobs have saved is in it, as files do not travel, and a worktree says on
 * which host it lies.
 */
export const hosts: Migration = {
  version: 30,
  name: 'hosts',
  up: (schema) =>
    schema.exec(`
      create table artifact_chunks (
        job_id text not null,
        name text not null,
        seq integer not null,
        bytes blob not null,
        primary key (job_id, name, seq),
        foreign key (job_id, name) references job_artifacts (job_id, name) on delete cascade
      ) strict;
      alter table worktrees add column host_id text;
    `),
};
