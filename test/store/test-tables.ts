import type { Migration } from '../../src/store/schema.js';

/** Two tables that say nothing of the domain, for tests of what every table can rely on. */
export const testTables: Migration = {
  version: 1,
  name: 'test tables',
  up: (connection) =>
    connection.exec(`
      create table counters (name text primary key, value integer not null check (value < 1000000)) strict;
      create table notes (id integer primary key autoincrement, text text not null) strict;
      insert into counters (name, value) values ('a', 0), ('b', 0);
    `),
};
