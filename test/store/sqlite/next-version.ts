import { migrations } from '../../../src/store/migrate.js';
import type { Migration } from '../../../src/store/schema.js';

/** The migrations of this program and one that it may have some day. */
export const withNextVersion: readonly Migration[] = [
  ...migrations,
  {
    version: (migrations.at(-1)?.version ?? 0) + 1,
    name: 'goals have owners',
    up: (connection) => connection.exec("alter table goals add column owner text not null default 'nobody'"),
  },
];
