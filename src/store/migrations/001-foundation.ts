import type { Migration } from '../migration.js';
import { jobs } from './001-jobs.js';
import { metrics } from './001-metrics.js';
import { native } from './001-native.js';
import { tools } from './001-tools.js';

/**
 * Times are epoch milliseconds (`_at`) or monotonic milliseconds of the boot named beside them (`_tick`); JSON is
 * text; booleans are 0 and 1; a project of '' means none.
 */
export const foundation: Migration = {
  version: 1,
  name: 'foundation',
  up: (connection) => {
    for (const part of parts) connection.exec(part);
  },
};

const goalsAndTasks = `
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

const coordination = `
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

const breakers = `
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

const relay = `
  create table relay_pipelines (
    seq integer primary key autoincrement,
    id text not null unique,
    name text not null,
    goal text not null,
    description text not null default '',
    status text not null default 'pending'
      check (status in ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    current_step integer not null default 0,
    total_steps integer not null check (total_steps >= 1),
    token_budget integer not null,
    tokens_used integer not null default 0,
    initial_entity_id integer,
    final_entity_id integer,
    -- Why it failed.
    error_code text,
    error_message text,
    -- How it runs by itself: the id of its first job, and the models of its steps.
    run text,
    project text not null default '',
    created_at integer not null,
    updated_at integer not null,
    started_at integer,
    completed_at integer
  ) strict;
  create index relay_pipelines_by_status on relay_pipelines (status, seq);
  create index relay_pipelines_by_project on relay_pipelines (project, seq);

  create table relay_steps (
    pipeline_id text not null references relay_pipelines (id) on delete cascade,
    step_index integer not null check (step_index >= 0),
    agent_id text not null,
    agent_type text not null,
    task_template text not null,
    instructions text,
    expected_output_type text not null,
    derivation_method text not null default 'inference'
      check (derivation_method in
        ('inference', 'extraction', 'synthesis', 'citation', 'transformation', 'validation')),
    max_tokens integer not null,
    quality_threshold real not null,
    l_score_threshold real not null,
    fallback_agent text,
    model text,
    output_schema text,
    capabilities text not null default '[]',
    primary key (pipeline_id, step_index)
  ) strict, without rowid;

  create table relay_batons (
    id text primary key,
    pipeline_id text not null references relay_pipelines (id) on delete cascade,
    step_index integer not null,
    status text not null default 'pending'
      check (status in ('pending', 'in_progress', 'waiting', 'passed', 'failed', 'cancelled', 'set_aside')),
    retry_count integer not null default 0,
    -- Counts all batons of its step, also those before a restart.
    attempt integer not null default 1,
    -- Who has it: the step's own agent, or the one that stands in for it.
    agent_id text,
    -- The session that it was handed to; another one has to name it.
    handed_to text,
    -- The background job that works on it; a baton has one at the most, so that no attempt is made twice.
    job_id text,
    -- The baton as it was handed over: a document of its own, not edited after that.
    baton text not null,
    created_at integer not null,
    passed_at integer
  ) strict;
  create index relay_batons_by_pipeline on relay_batons (pipeline_id, step_index);
  create unique index relay_batons_by_job on relay_batons (job_id) where job_id is not null;
  create unique index relay_batons_one_open on relay_batons (pipeline_id)
    where status in ('pending', 'in_progress', 'waiting');

  create table relay_results (
    id integer primary key autoincrement,
    pipeline_id text not null references relay_pipelines (id) on delete cascade,
    step_index integer not null,
    baton_id text references relay_batons (id),
    agent_id text not null,
    status text not null check (status in ('passed', 'failed')),
    -- Only the attempt that counts: not a failed gate, not a result set aside by a restart.
    is_current integer not null default 1 check (is_current in (0, 1)),
    output_key text,
    output_entity_id integer,
    output text,
    output_summary text,
    quality_score real not null,
    l_score real not null,
    tokens_used integer not null default 0,
    execution_time_ms integer not null default 0,
    error_message text,
    created_at integer not null
  ) strict;
  create index relay_results_by_pipeline on relay_results (pipeline_id, step_index, id);
`;

const ledgerAndLog = `
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

const access = `
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

const parts = [goalsAndTasks, coordination, jobs, breakers, relay, tools, ledgerAndLog, access, native, metrics];
