import type { Migration } from '../schema.js';

/** By which clock the times of a breaker are, so that a clock that is set later does not move them. */
export const breakerClock: Migration = {
  version: 9,
  name: 'breaker clock',
  up: (connection) => {
    connection.exec('alter table breakers add column clock_boot_id text');
    // When that boot was, by the wall clock that wrote the times.
    connection.exec('alter table breakers add column clock_boot_at integer');
  },
};
