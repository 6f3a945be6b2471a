export const budgetsAndEvents = `
  create table budgets (
    account text primary key,
    cap integer check (cap >= 0),
    spent integer not null default 0 check (spent >= 0),
    created_at integer not null,
    updated_at integer not null
  ) strict;

  -- Tokens promised to a call that is under way.
  create table budget_reservations (
    account text not null references budgets (account) on delete cascade,
    holder text not null,
    tokens integer not null check (tokens >= 0),
    -- What the call costs as soon as it has begun: its prompt. Charged if the caller is lost.
    minimum integer not null check (minimum between 0 and tokens),
    created_at integer not null,
    primary key (account, holder)
  ) strict, without rowid;
  create index budget_reservations_by_holder on budget_reservations (holder);

  create table events (
    -- Not autoincrement, which would write one page more with every change; a purge never takes the newest row.
    id integer primary key,
    at integer not null,
    subject text not null,
    subject_id text not null,
    type text not null,
    project text not null default '',
    actor text,
    data text
  ) strict;
  create index events_by_subject on events (subject, subject_id, id);
`;

export const access = `
  -- Who may call over HTTP. Only a hash of each token is kept; one that expires is good for one use.
  create table access_tokens (
    id text primary key,
    name text not null,
    hash text not null,
    is_read_only integer not null check (is_read_only in (0, 1)),
    expires_at integer,
    created_at integer not null,
    last_used_at integer
  ) strict;
  create unique index access_tokens_by_name on access_tokens (name) where expires_at is null;

  create table http_servers (
    id text primary key,
    url text not null,
    has_page integer not null check (has_page in (0, 1)),
    is_read_only integer not null check (is_read_only in (0, 1)),
    host_id text not null,
    boot_id text not null,
    pid_namespace text not null,
    pid integer not null,
    process_started text not null,
    started_at integer not null
  ) strict;
`;

export const metrics = `
  create table metric_counters (
    name text not null,
    -- The values of the metric's labels, in the order in which it declares them, as a JSON list.
    labels text not null,
    value real not null check (value >= 0),
    primary key (name, labels)
  ) strict, without rowid;

  -- What happened in a window of time is read from the rows themselves, by these.
  create index jobs_by_creation on jobs (created_at, type);
  create index jobs_by_end on jobs (completed_at, type, status) where completed_at is not null;
`;
