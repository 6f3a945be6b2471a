import type { Migration } from '../schema.js';
import { countedTasks, createCountTriggers } from './011-task-counts.js';

/**
 * A key is unique within its project, no longer over all of them. SQLite cannot drop the constraint of a column, so its
 * table is rebuilt, with what goes with a table: indexes, triggers, and the view that would point at nothing meanwhile.
 */
export const taskKeys: Migration = {
  version: 20,
  name: 'task keys',
  up: (schema) => {
    if (schema.isPostgres) schema.exec('alter table tasks drop constraint tasks_key_key');
    else {
      schema.exec('drop view counted_tasks');
      schema.exec(rebuilt);
      schema.exec(indexes);
      schema.exec(countedTasks());
      createCountTriggers(schema);
    }
    schema.exec('create unique index tasks_by_key on tasks (key, project)');
  },
};

/** The columns are in the order that they came in. Ids of deleted tasks are not given again. */
const rebuilt = `
  create table rebuilt_tasks (
    id integer primary key autoincrement,
    key text check (key glob '*[^0-9]*'),
    goal_id integer references goals (id),
    project text not null default '',
    title text not null,
    description text not null default '',
    acceptance text,
    expected_output text,
    status text not null default 'pending'
      check (status in ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
    priority integer not null default 5 check (priority between 1 and 10),
    unfinished_dependencies integer not null default 0 check (unfinished_dependencies >= 0),
    failed_dependencies integer not null default 0
      check (failed_dependencies between 0 and unfinished_dependencies),
    on_dependency_failure text not null default 'block'
      check (on_dependency_failure in ('block', 'skip', 'run', 'cancel')),
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
    verdict text,
    discovered_from integer references tasks (id) on delete set null,
    parent_id integer references tasks (id) on delete set null,
    check (status <> 'in_progress' or (claimed_by is not null and lease_expires_at is not null))
  ) strict;
  insert into rebuilt_tasks select * from tasks;
  delete from sqlite_sequence where name = 'rebuilt_tasks';
  insert into sqlite_sequence (name, seq) select 'rebuilt_tasks', seq from sqlite_sequence where name = 'tasks';
  drop table tasks;
  alter table rebuilt_tasks rename to tasks;
`;

/** Those of the migrations before. */
const indexes = `
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
  create index tasks_ended on tasks
    (status, completed_at desc, id desc, started_at, created_at, worker_id, claimed_by, goal_id)
    where status in ('completed', 'failed', 'cancelled');
  create index tasks_overdue on tasks (is_overdue, status, goal_id)
    where is_overdue = 1 and status in ('pending', 'in_progress');
  create index tasks_by_discovery on tasks (discovered_from) where discovered_from is not null;
  create index tasks_by_parent on tasks (parent_id) where parent_id is not null;
  create index tasks_waiting on tasks (status, priority desc, id)
    where status = 'pending' and (unfinished_dependencies > 0 or is_held = 1);
`;
