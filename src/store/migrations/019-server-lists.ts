import type { Migration } from '../schema.js';

/** What each tool server listed last besides its tools, for the time when it does not answer. */
export const serverLists: Migration = {
  version: 19,
  name: 'server lists',
  up: (connection) =>
    connection.exec(`create table server_lists (
      server text not null,
      kind text not null,
      items text not null,
      listed_at integer not null,
      primary key (server, kind)
    ) strict`),
};
