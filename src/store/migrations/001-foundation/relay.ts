export const relay = `
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
