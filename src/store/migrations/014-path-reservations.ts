import type { Migration } from '../schema.js';

/** Files that a session works on, so that others leave them alone. */
export const pathReservations: Migration = {
  version: 14,
  name: 'path reservations',
  up: (connection) =>
    connection.exec(`
      create table path_reservations (
        id integer primary key,
        -- The work tree of git, or the directory of a project without one.
        root text not null,
        -- Relative to it, with slashes.
        pattern text not null,
        is_exclusive integer not null check (is_exclusive in (0, 1)),
        reason text not null default '',
        holder text not null,
        task_id integer references tasks (id) on delete cascade,
        created_at integer not null,
        lease_expires_at integer not null,
        lease_expires_tick integer not null,
        lease_boot_id text not null,
        unique (root, pattern, holder)
      ) strict;
      create index path_reservations_by_holder on path_reservations (holder);
      create index path_reservations_by_task on path_reservations (task_id) where task_id is not null;
    `),
};
