/** Background jobs and the runners that work on them. */
export const jobs = `
  create table runners (
    id text primary key,
    -- What it is able to run: a free runner is of no use to a job that it is not able to run.
    ability text not null,
    -- A waiting one holds no permit: it needs one again to run what it waits for.
    state text not null check (state in ('starting', 'running', 'waiting', 'exited', 'lost')),
    host_id text,
    boot_id text,
    pid_namespace text,
    pid integer,
    process_started text,
    started_by text,
    created_at integer not null,
    created_tick integer not null,
    created_boot_id text not null,
    heartbeat_at integer,
    heartbeat_tick integer,
    ended_at integer
  ) strict;
  create index runners_live on runners (state) where state in ('starting', 'running', 'waiting');

  create table jobs (
    seq integer primary key autoincrement,
    id text not null unique,
    type text not null,
    status text not null default 'pending'
      check (status in ('pending', 'running', 'completed', 'failed', 'cancelled')),
    payload text not null,
    metadata text not null default '{}',
    priority integer not null default 5 check (priority between 1 and 10),
    -- The provider, command or module that a runner must have to take it; null when any runner will do.
    requires text,
    -- How many jobs of its type may run at once over all processes; null for no limit.
    concurrency integer check (concurrency >= 1),
    run_at integer not null,
    unfinished_dependencies integer not null default 0 check (unfinished_dependencies >= 0),
    timeout_seconds integer not null check (timeout_seconds > 0),
    attempt integer not null default 0,
    max_attempts integer not null check (max_attempts >= 1),
    -- Tries that used up the allowance; an attempt put off by an open breaker does not.
    tries integer not null default 0,
    crashes integer not null default 0,
    is_dead integer not null default 0 check (is_dead in (0, 1)),
    runner_id text references runners (id),
    attempt_token text,
    -- When the attempt under way is over even for a runner that does not answer.
    lease_expires_at integer,
    lease_expires_tick integer,
    lease_boot_id text,
    cancel_requested_at integer,
    progress real check (progress between 0 and 1),
    progress_message text,
    requested_model text,
    model text,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    token_budget integer,
    idempotency_key text unique,
    output text,
    result text,
    warnings text not null default '[]',
    error_code text,
    error_message text,
    task_id integer references tasks (id),
    task_claim_token integer,
    goal_id integer references goals (id),
    -- The run that made it.
    parent_id text references jobs (id),
    project text not null default '',
    submitted_by text,
    read_at integer,
    created_at integer not null,
    updated_at integer not null,
    started_at integer,
    completed_at integer,
    -- A run has no runner: the transactions in which its jobs end move it.
    check (status <> 'running' or type = 'run_goal' or (runner_id is not null and attempt_token is not null))
  ) strict;
  create index jobs_ready on jobs (status, unfinished_dependencies, priority desc, run_at, seq)
    where status = 'pending' and unfinished_dependencies = 0;
  create index jobs_by_runner on jobs (runner_id) where runner_id is not null;
  create index jobs_by_type on jobs (type, status, seq);
  create index jobs_by_status on jobs (status, seq);
  create index jobs_by_project on jobs (project, seq);
  create index jobs_unread on jobs (project, seq) where read_at is null and status in ('completed', 'failed');
  create index jobs_dead on jobs (seq) where is_dead = 1;
  create index jobs_by_task on jobs (task_id) where task_id is not null;
  create index jobs_by_goal on jobs (goal_id) where goal_id is not null;
  create index jobs_by_parent on jobs (parent_id, status) where parent_id is not null;
  create unique index jobs_one_run_of_goal on jobs (goal_id) where type = 'run_goal' and status = 'running';

  create table job_dependencies (
    job_id text not null references jobs (id) on delete cascade,
    depends_on text not null references jobs (id),
    is_satisfied integer not null default 0 check (is_satisfied in (0, 1)),
    primary key (job_id, depends_on),
    check (job_id <> depends_on)
  ) strict, without rowid;
  create index job_dependents on job_dependencies (depends_on, job_id);

  create table job_attempts (
    job_id text not null references jobs (id) on delete cascade,
    attempt integer not null,
    runner_id text not null,
    outcome text check (outcome in ('completed', 'failed', 'cancelled', 'lost', 'postponed')),
    error_code text,
    error_message text,
    model text,
    input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    started_at integer not null,
    ended_at integer,
    primary key (job_id, attempt)
  ) strict, without rowid;

  -- Output as it streams in; replaced by jobs.output when the attempt ends.
  create table job_chunks (
    job_id text not null references jobs (id) on delete cascade,
    seq integer not null,
    text text not null,
    primary key (job_id, seq)
  ) strict, without rowid;

  create table job_logs (
    id integer primary key autoincrement,
    job_id text not null references jobs (id) on delete cascade,
    at integer not null,
    level text not null check (level in ('debug', 'info', 'warn', 'error')),
    message text not null,
    fields text
  ) strict;
  create index job_logs_by_job on job_logs (job_id, id);

  create table job_artifacts (
    job_id text not null references jobs (id) on delete cascade,
    name text not null,
    path text not null,
    size_bytes integer not null,
    sha256 text not null,
    created_at integer not null,
    primary key (job_id, name)
  ) strict, without rowid;
`;
