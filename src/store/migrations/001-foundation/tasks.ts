export const goalsAndTasks = `
  create table goals (
    id integer primary key autoincrement,
    name text not null,
    description text not null,
    status text not null default 'active' check (status in ('active', 'completed', 'cancelled')),
    project text not null default '',
    metadata text not null default '{}',
    created_at integer not null,
    updated_at integer not null,
    completed_at integer
  ) strict;
  create index goals_by_status on goals (status, id);
  create index goals_by_project on goals (project, id);

  create table tasks (
    id integer primary key autoincrement,
    key text unique check (key glob '*[^0-9]*'),
    goal_id integer references goals (id),
    project text not null default '',
    title text not null,
    description text not null default '',
    acceptance text,
    expected_output text,
    status text not null default 'pending'
      check (status in ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    priority integer not null default 5 check (priority between 1 and 10),
    -- Dependencies that are not satisfied yet, and those of them that have failed; kept with the rows of
    -- task_dependencies, so that readiness is a column and not a search.
    unfinished_dependencies integer not null default 0 check (unfinished_dependencies >= 0),
    failed_dependencies integer not null default 0
      check (failed_dependencies between 0 and unfinished_dependencies),
    on_dependency_failure text not null default 'block'
      check (on_dependency_failure in ('block', 'skip', 'run', 'cancel')),
    -- The dependency whose failure ended this task by its policy, and whether those after it go on regardless.
    stopped_by integer references tasks (id),
    is_skipped integer not null default 0 check (is_skipped in (0, 1)),
    attempts integer not null default 0,
    max_attempts integer not null default 3 check (max_attempts >= 1),
    deadline_at integer,
    is_overdue integer not null default 0 check (is_overdue in (0, 1)),
    not_before integer,
    is_held integer not null default 0 check (is_held in (0, 1)),
    claimed_by text,
    worker_id text,
    worker_slot integer,
    claim_token integer not null default 0,
    lease_expires_at integer,
    lease_expires_tick integer,
    lease_boot_id text,
    result text,
    error text,
    tokens_used integer not null default 0,
    metadata text not null default '{}',
    created_by text,
    created_at integer not null,
    updated_at integer not null,
    started_at integer,
    completed_at integer,
    check (status <> 'in_progress' or (claimed_by is not null and lease_expires_at is not null))
  ) strict;
  -- A partial index leads with the status that it is limited to: the planner takes any index with an equality over
  -- one without, and would read all pending tasks by tasks_by_status and sort them.
  create index tasks_ready on tasks (status, priority desc, is_overdue desc, id)
    where status = 'pending' and unfinished_dependencies = 0 and is_held = 0;
  create index tasks_ready_by_goal on tasks (status, goal_id, priority desc, is_overdue desc, id)
    where status = 'pending' and unfinished_dependencies = 0 and is_held = 0 and goal_id is not null;
  create index tasks_ready_by_project on tasks (status, project, priority desc, is_overdue desc, id)
    where status = 'pending' and unfinished_dependencies = 0 and is_held = 0;
  create index tasks_held on tasks (not_before) where is_held = 1;
  create index tasks_due on tasks (status, deadline_at)
    where deadline_at is not null and is_overdue = 0 and status in ('pending', 'in_progress');
  create index tasks_claimed on tasks (claimed_by) where status = 'in_progress';
  create index tasks_by_goal on tasks (goal_id, status, id) where goal_id is not null;
  create index tasks_by_status on tasks (status, id);
  create index tasks_by_project on tasks (project, id);
  create index tasks_stopped on tasks (stopped_by) where stopped_by is not null;
  -- For the board's columns: what ended last, and what should have been done by now.
  create index tasks_ended on tasks (status, completed_at desc, id desc)
    where status in ('completed', 'failed', 'cancelled');
  create index tasks_overdue on tasks (is_overdue, status, goal_id)
    where is_overdue = 1 and status in ('pending', 'in_progress');

  create table task_dependencies (
    task_id integer not null references tasks (id) on delete cascade,
    depends_on integer not null references tasks (id),
    state text not null default 'waiting' check (state in ('waiting', 'satisfied', 'failed')),
    primary key (task_id, depends_on),
    check (task_id <> depends_on)
  ) strict, without rowid;
  create index task_dependents on task_dependencies (depends_on, task_id);

  create table task_templates (
    name text primary key,
    description text not null,
    tasks text not null,
    created_at integer not null,
    updated_at integer not null
  ) strict;
`;

/** Sessions, workers and maintenance leases. */
export const coordination = `
  create table sessions (
    id text primary key,
    -- Who claims: the same for every server process of one client session, so that a resumed one finds its claims.
    holder text not null,
    project text not null default '',
    client_name text,
    client_version text,
    host_id text not null,
    boot_id text not null,
    pid_namespace text not null,
    pid integer not null,
    process_started text not null,
    started_at integer not null,
    heartbeat_at integer not null,
    heartbeat_tick integer not null,
    ended_at integer
  ) strict;
  create index sessions_by_holder on sessions (holder, ended_at);
  create index sessions_live on sessions (heartbeat_at) where ended_at is null;

  create table worker_slots (
    slot integer primary key check (slot >= 1),
    worker_id text not null unique,
    -- Whether the worker gave its own name; a slot taken without one gets it from the first task claimed for it.
    is_named integer not null check (is_named in (0, 1)),
    holder text not null,
    session_id text references sessions (id),
    task_id integer references tasks (id),
    claimed_at integer not null,
    heartbeat_at integer not null,
    lease_expires_at integer not null,
    lease_expires_tick integer not null,
    lease_boot_id text not null
  ) strict;

  -- Work that some session does for all: who did it last and when it is due again.
  create table duties (
    name text primary key,
    done_at integer not null
  ) strict;
`;
