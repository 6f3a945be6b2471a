/** Tool servers: their tools, routes, cached answers, calls and processes. */
export const tools = `
  -- The last list of tools that a server has given; what is known of it while it is down.
  create table tool_lists (
    server text primary key,
    tools text not null,
    digest text not null,
    listed_at integer not null
  ) strict;

  create table tool_routes (
    -- As callers name it: server.tool, or a bare name.
    tool text primary key,
    prefer text,
    backups text not null default '[]',
    cache_seconds integer check (cache_seconds >= 0),
    retry_safe integer check (retry_safe in (0, 1)),
    updated_at integer not null
  ) strict;

  -- How many instances each session keeps, where that is not what the config file says.
  create table tool_server_scales (
    server text primary key,
    instances integer not null check (instances between 0 and 8),
    updated_at integer not null
  ) strict;

  create table tool_cache (
    key text primary key,
    tool text not null,
    result text not null,
    size integer not null check (size >= 0),
    stored_at integer not null
  ) strict;
  create index tool_cache_by_age on tool_cache (stored_at);

  -- Counted calls, by the minute and the power of two of their milliseconds.
  create table tool_calls (
    minute_at integer not null,
    tool text not null,
    source text not null check (source in ('native', 'primary', 'backup', 'cache', 'none')),
    instance text not null,
    outcome text not null check (outcome in ('ok', 'error', 'failed')),
    bucket integer not null,
    calls integer not null check (calls > 0),
    total_ms real not null,
    primary key (minute_at, tool, source, instance, outcome, bucket)
  ) strict, without rowid;

  -- Processes of tool servers, written before each is started, so that a successor finds what a killed session left.
  create table tool_processes (
    id text primary key,
    server text not null,
    host_id text not null,
    boot_id text not null,
    pid_namespace text not null,
    owner_pid integer not null,
    owner_started text not null,
    pid integer,
    process_started text,
    created_at integer not null
  ) strict;
`;

/** Native tools. */
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
