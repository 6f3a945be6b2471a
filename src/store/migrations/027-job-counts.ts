import type { Migration, SchemaWriter } from '../schema.js';

/**
 * How many jobs there are of each type in each status, by project; a job whose result nobody has read is counted under
 * `unread` too. As with tasks, SQLite keeps a table by triggers, and PostgreSQL counts the rows in a view.
 *
 * The index of unread results has them by status, so that the newest of one status are found without reading the others.
 */
export const jobCounts: Migration = {
  version: 27,
  name: 'job counts',
  up: (schema) => {
    schema.exec('drop index jobs_unread');
    schema.exec(`
      create index jobs_unread on jobs (status, seq, project) where read_at is null and status in ('completed', 'failed')`);
    schema.exec(countedJobs);
    if (schema.isPostgres) {
      schema.exec('create view job_counts as select state, type, project, count from counted_jobs');
      return;
    }
    schema.exec(`
      create table job_counts (
        state text not null,
        type text not null,
        project text not null,
        count integer not null,
        primary key (state, type, project)
      ) strict, without rowid`);
    schema.exec(
      'insert into job_counts (state, type, project, count) select state, type, project, count from counted_jobs',
    );
    createJobTriggers(schema);
  },
};

/** The triggers of SQLite go with the table of jobs, so a migration that rebuilds it creates them again. */
function createJobTriggers(schema: SchemaWriter): void {
  schema.exec(`create trigger job_counted after insert on jobs begin ${add('new', 1)} end`);
  schema.exec(`create trigger job_uncounted after delete on jobs begin ${add('old', -1)} end`);
  schema.exec(`
    create trigger job_recounted after update of status, read_at, type, project on jobs
    when old.status <> new.status or (${isUnread('old')}) <> (${isUnread('new')})
      or old.type <> new.type or old.project <> new.project
    begin ${add('old', -1)} ${add('new', 1)} end`);
}

function isUnread(row: string): string {
  return `${row}.read_at is null and ${row}.status in ('completed', 'failed')`;
}

/** Adds a number to the counts that a row of jobs belongs to. */
function add(row: 'old' | 'new', by: 1 | -1): string {
  return `
    insert into job_counts (state, type, project, count)
    select state, ${row}.type, ${row}.project, ${by}
    from (select ${row}.status as state union all select 'unread' where ${isUnread(row)}) as states
    where true
    on conflict (state, type, project) do update set count = job_counts.count + excluded.count;`;
}

/** The view that counts the same from the rows. */
const countedJobs = `
  create view counted_jobs as
  select status as state, type, project, count(*) as count from jobs group by status, type, project
  union all
  select 'unread', type, project, count(*) from jobs where ${isUnread('jobs')} group by type, project`;
