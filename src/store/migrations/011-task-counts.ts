import type { Migration, SchemaWriter } from '../schema.js';

/**
 * How many tasks there are in each state, by goal and by project; goal 0 stands for all tasks of a project. A task is
 * counted under its state, and under `overdue` too while that is so.
 *
 * In SQLite it is a table that triggers keep: every statement that moves tasks counts, whoever wrote it, in its own
 * transaction. In PostgreSQL, where many transactions move tasks side by side and would wait for one row of counts, it is
 * a view, which reads a goal by its index.
 */
export const taskCounts: Migration = {
  version: 11,
  name: 'task counts',
  up: (schema) => {
    schema.exec(`
      create index tasks_waiting on tasks (status, priority desc, id)
        where status = 'pending' and (unfinished_dependencies > 0 or is_held = 1)`);
    schema.exec(countedTasks());
    if (schema.isPostgres) {
      schema.exec('create view task_counts as select goal_id, project, state, count from counted_tasks');
      return;
    }
    schema.exec(`
      create table task_counts (
        goal_id integer not null,
        project text not null,
        state text not null,
        count integer not null,
        primary key (goal_id, state, project)
      ) strict, without rowid`);
    schema.exec(
      'insert into task_counts (goal_id, project, state, count) select goal_id, project, state, count from counted_tasks',
    );
    createCountTriggers(schema);
  },
};

/** The triggers of SQLite go with the table of tasks, so a migration that rebuilds it creates them again. */
export function createCountTriggers(schema: SchemaWriter): void {
  schema.exec(`create trigger task_counted after insert on tasks begin ${add('new', 1)} end`);
  schema.exec(`create trigger task_uncounted after delete on tasks begin ${add('old', -1)} end`);
  schema.exec(`
    create trigger task_recounted
    after update of status, unfinished_dependencies, is_held, is_overdue, goal_id, project on tasks
    when (${stateOf('old')}) <> (${stateOf('new')}) or (${isOverdue('old')}) <> (${isOverdue('new')})
      or old.project <> new.project or old.goal_id is distinct from new.goal_id
    begin ${add('old', -1)} ${add('new', 1)} end`);
}

function stateOf(row: string): string {
  return `case when ${row}.status <> 'pending' then ${row}.status
    when ${row}.unfinished_dependencies = 0 and ${row}.is_held = 0 then 'ready' else 'waiting' end`;
}

function isOverdue(row: string): string {
  return `${row}.is_overdue = 1 and ${row}.status in ('pending', 'in_progress')`;
}

/** Adds a number to the counts that a row of tasks belongs to. */
function add(row: 'old' | 'new', by: 1 | -1): string {
  return `
    insert into task_counts (goal_id, project, state, count)
    select goal_id, ${row}.project, state, ${by}
    from (select 0 as goal_id union all select ${row}.goal_id where ${row}.goal_id is not null) as goals,
      (select ${stateOf(row)} as state union all select 'overdue' where ${isOverdue(row)}) as states
    where true
    on conflict (goal_id, state, project) do update set count = task_counts.count + excluded.count;`;
}

/** The view that counts the same from the rows. */
export const countedTasks = (): string => `create view counted_tasks as ${countedRows}`;

const countedRows = [
  { goal: '0', state: stateOf('tasks'), condition: 'true' },
  { goal: 'goal_id', state: stateOf('tasks'), condition: 'goal_id is not null' },
  { goal: '0', state: "'overdue'", condition: isOverdue('tasks') },
  { goal: 'goal_id', state: "'overdue'", condition: `goal_id is not null and ${isOverdue('tasks')}` },
]
  .map(
    ({ goal, state, condition }) => `
      select goal_id, project, state, count(*) as count
      from (select ${goal} as goal_id, project, ${state} as state from tasks where ${condition}) as counted
      group by goal_id, project, state`,
  )
  .join(' union all ');
