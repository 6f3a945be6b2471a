export const breakers = `
  create table breakers (
    id text primary key,
    state text not null default 'closed' check (state in ('closed', 'open', 'half_open')),
    failure_threshold integer not null default 5 check (failure_threshold >= 1),
    window_seconds integer not null default 60 check (window_seconds >= 1),
    failure_rate_threshold real check (failure_rate_threshold > 0 and failure_rate_threshold <= 1),
    minimum_calls integer not null default 10 check (minimum_calls >= 1),
    failure_weights text not null default '{}',
    cooldown_seconds integer not null default 300 check (cooldown_seconds >= 0),
    cooldown_factor real not null default 1 check (cooldown_factor >= 1),
    max_cooldown_seconds integer not null default 3600 check (max_cooldown_seconds >= 0),
    half_open_max_calls integer not null default 3 check (half_open_max_calls >= 1),
    success_threshold integer not null default 2 check (success_threshold >= 1),
    fallback_agent text,
    cooldown_until integer,
    -- Tripped by hand to stay open until it is reset by hand.
    is_held integer not null default 0 check (is_held in (0, 1)),
    half_open_successes integer not null default 0,
    consecutive_trips integer not null default 0,
    -- Why it is in its state.
    reason text,
    total_failures integer not null default 0,
    total_successes integer not null default 0,
    trip_count integer not null default 0,
    last_failure_at integer,
    last_success_at integer,
    created_at integer not null,
    updated_at integer not null
  ) strict;

  create table breaker_failures (
    seq integer primary key autoincrement,
    id text not null unique,
    breaker_id text not null references breakers (id) on delete cascade,
    failure_type text not null,
    error_message text,
    context text,
    at integer not null,
    weight real not null default 1 check (weight >= 0),
    -- Counts while inside the window: neither made up for by a success, nor put aside by a closing, nor of a call that
    -- failed while the breaker was open.
    is_counted integer not null default 1 check (is_counted in (0, 1))
  ) strict;
  create index breaker_failures_by_time on breaker_failures (breaker_id, at);

  -- How calls ended, by slices of the window, kept while a failure rate is of interest.
  create table breaker_calls (
    breaker_id text not null references breakers (id) on delete cascade,
    at integer not null,
    succeeded integer not null,
    failed integer not null,
    primary key (breaker_id, at)
  ) strict;

  -- A call let through while half open; counted over all processes.
  create table breaker_permits (
    permit text primary key,
    breaker_id text not null references breakers (id) on delete cascade,
    expires_at integer not null
  ) strict;
  create index breaker_permits_by_breaker on breaker_permits (breaker_id);
`;
