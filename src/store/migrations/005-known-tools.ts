import type { Migration } from '../schema.js';

/** What each tool of a tool server said of itself when it was first seen, or when a person last accepted it. */
export const knownTools: Migration = {
  version: 5,
  name: 'known tools',
  up: (connection) => {
    connection.exec(`create table known_tools (
      server text not null,
      tool text not null,
      -- SHA-256 over its name, description and input schema.
      digest text not null,
      seen_at integer not null,
      primary key (server, tool)
    ) strict, without rowid`);
  },
};
