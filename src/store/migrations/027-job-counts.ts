import type { Migration, SchemaWriter } from '../schema.js';

/** A quarter of an hour, in milliseconds: the intervals of every range on the page begin at one. */
const quarter = 900_000;

/**
 * How many jobs there are of each type in each status, by project; a job whose result nobody has read is counted under
 * `unread` too. As with tasks, SQLite keeps a table by triggers, and PostgreSQL counts the rows in a view.
 *
 * What a quarter of an hour had of jobs is summed up by a duty after it, in `job_periods`. Triggers delete the sum when one of
 * its jobs changes, so that what is there is what the rows are, and a job that is submitted or ends now writes nothing.
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
    schema.exec(`
      create table job_periods (
        -- When it began.
        at integer primary key,
        submitted integer not null,
        completed integer not null,
        failed integer not null,
        cancelled integer not null,
        -- Of those that ended.
        never_started integer not null,
        input_tokens integer not null,
        output_tokens integer not null,
        -- When those that ended were started: a JSON array of the beginnings of periods, each with its number of jobs.
        starts text not null,
        -- How long they took: a JSON array of numbers of jobs, each with the shortest and the longest of their times.
        times text not null
      ) strict`);
    if (schema.isPostgres) {
      schema.exec(forgetInPostgres);
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
  schema.exec(`create trigger job_period_of_new after insert on jobs begin
    ${forget('new.created_at')} ${forget('new.completed_at')} end`);
  schema.exec(`create trigger job_period_of_deleted after delete on jobs begin
    ${forget('old.created_at')} ${forget('old.completed_at')} end`);
  schema.exec(`create trigger job_period_of_changed after update of ${summedUp} on jobs when ${isInPeriod}
    begin ${forget('old.completed_at')} ${forget('new.completed_at')} end`);
  schema.exec(`create trigger job_period_of_moved after update of created_at on jobs
    begin ${forget('old.created_at')} ${forget('new.created_at')} end`);
}

const summedUp = 'status, started_at, completed_at, input_tokens, output_tokens';
const isInPeriod = 'old.completed_at is not null or new.completed_at is not null';

/** Deletes the sum of the period in which a time lies. */
const forget = (time: string): string => `delete from job_periods where at = ${time} / ${quarter} * ${quarter};`;

const forgetInPostgres = `
  create function forget_job_periods() returns trigger language plpgsql as $$ begin
    if tg_op <> 'INSERT' then ${forget('old.created_at')} ${forget('old.completed_at')} end if;
    if tg_op <> 'DELETE' then ${forget('new.created_at')} ${forget('new.completed_at')} end if;
    return null;
  end $$;
  create trigger job_period_of_new after insert on jobs for each row execute function forget_job_periods();
  create trigger job_period_of_deleted after delete on jobs for each row execute function forget_job_periods();
  create trigger job_period_of_changed after update of ${summedUp}, created_at on jobs for each row
    when (${isInPeriod} or old.created_at <> new.created_at) execute function forget_job_periods()`;

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
