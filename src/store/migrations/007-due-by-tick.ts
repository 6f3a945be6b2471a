import type { Migration } from '../schema.js';

/** When a job is due, on a clock that nobody can set. */
export const dueByTick: Migration = {
  version: 7,
  name: 'due by tick',
  up: (connection) => {
    // 0: at once, whatever the clocks say. Otherwise milliseconds since the boot of run_boot_id; in another boot, and for
    // a time that was asked for, run_at counts.
    connection.exec('alter table jobs add column run_tick integer');
    connection.exec('alter table jobs add column run_boot_id text');
  },
};
