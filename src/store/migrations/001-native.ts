/** The part of the first migration that native tools live in. */
export const native = `
  -- What a native tool has answered, kept for as long as the tool allows.
  create table native_answers (
    key text primary key,
    answer text not null,
    size integer not null check (size >= 0),
    at integer not null
  ) strict;
  create index native_answers_by_age on native_answers (at);

  -- The one line in which all processes wait for a service that wants its requests one at a time, with time between.
  create table native_lines (
    service text primary key,
    boot_id text not null,
    -- When the next who comes may start, by the turns given out.
    queued_tick integer not null,
    -- When a request may start in fact.
    free_tick integer not null,
    -- Whose request is under way, and until when at most.
    turn text,
    turn_until_tick integer,
    check ((turn is null) = (turn_until_tick is null))
  ) strict;
`;
