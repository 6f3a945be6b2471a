import type { Migration } from '../schema.js';

/** Messages between sessions, workers and people, and who has read them. */
export const messages: Migration = {
  version: 12,
  name: 'messages',
  up: (connection) =>
    connection.exec(`
      create table messages (
        id integer primary key,
        -- The first message of its thread; its own id where it began one.
        thread_id integer,
        project text not null default '',
        -- The sender: a session or a caller without one, null for a person.
        sender text,
        sender_worker text,
        to_kind text not null check (to_kind in ('session', 'worker', 'goal', 'all', 'user')),
        -- A holder, the name of a worker, '' for a goal, all and the user.
        to_id text not null,
        goal_id integer references goals (id) on delete cascade check ((to_kind = 'goal') = (goal_id is not null)),
        subject text not null,
        body text not null,
        importance text not null check (importance in ('low', 'normal', 'high')),
        sent_at integer not null,
        -- Until then it reaches those who come later; null for as long as its goal is open.
        expires_at integer
      ) strict;
      create index messages_by_address on messages (to_kind, to_id);
      create index messages_by_goal on messages (goal_id) where goal_id is not null;
      create index messages_by_thread on messages (thread_id);
      create index messages_by_time on messages (sent_at);

      -- One row for each reader to whom a message was given.
      create table message_receipts (
        message_id integer not null references messages (id) on delete cascade,
        reader text not null,
        read_at integer not null,
        primary key (message_id, reader)
      ) strict, without rowid;
    `),
};
