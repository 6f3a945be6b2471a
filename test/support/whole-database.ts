import { connect } from './sqlite.js';

/** What must hold between the rows of any database, whatever was done to it: each query finds what does not. */
const rules: Readonly<Record<string, string>> = {
  'a counter of unfinished dependencies differs from its rows': `
    select id from tasks t where unfinished_dependencies <>
      (select count(*) from task_dependencies where task_id = t.id and state <> 'satisfied')`,
  'a counter of failed dependencies differs from its rows': `
    select id from tasks t where failed_dependencies <>
      (select count(*) from task_dependencies where task_id = t.id and state = 'failed')`,
  'a counter of unfinished dependencies of a job differs from its rows': `
    select id from jobs j where unfinished_dependencies <>
      (select count(*) from job_dependencies where job_id = j.id and is_satisfied = 0)`,
  'a stored count of tasks differs from the rows': `
    select goal_id || ' ' || state as id from (
      select goal_id, state, project, count from task_counts
      union all select goal_id, state, project, -count from counted_tasks)
    group by goal_id, state, project having sum(count) <> 0`,
  'a stored count of jobs differs from the rows': `
    select state || ' ' || type as id from (
      select state, type, project, count from job_counts
      union all select state, type, project, -count from counted_jobs)
    group by state, type, project having sum(count) <> 0`,
  'a sum of jobs of a quarter of an hour differs from the rows': `
    select at as id from job_periods
    where submitted <> (select count(*) from jobs where created_at >= at and created_at < at + 900000)
      or completed + failed + cancelled <> (select count(*) from jobs where completed_at >= at and completed_at < at + 900000)
      or input_tokens <> (select coalesce(sum(input_tokens), 0) from jobs
        where completed_at >= at and completed_at < at + 900000)`,
  'the tokens of a claim have a gap': `
    select subject_id as id from events where subject = 'task' and type = 'claimed'
    group by subject_id having count(*) <> max(data ->> 'claim_token') or count(*) <> count(distinct data ->> 'claim_token')`,
  'a task has more claims than its token says, or fewer': `
    select id from tasks t where claim_token <>
      (select count(*) from events where subject = 'task' and subject_id = cast(t.id as text) and type = 'claimed')`,
  'a relay has two open batons': `
    select pipeline_id as id from relay_batons where status in ('pending', 'in_progress', 'waiting')
    group by pipeline_id having count(*) > 1`,
  'a step of a relay has two results that count': `
    select pipeline_id as id from relay_results where is_current = 1 and status = 'passed'
    group by pipeline_id, step_index having count(*) > 1`,
  'an ended job has pieces of an answer, reservations or an open attempt left': `
    select id from jobs j where status in ('completed', 'failed', 'cancelled') and (
      exists (select 1 from job_chunks where job_id = j.id)
      or exists (select 1 from budget_reservations where holder like 'job:' || j.id || ':%')
      or exists (select 1 from job_attempts where job_id = j.id and ended_at is null))`,
  'a job has more than one end since it was last tried anew': `
    select subject_id as id from events e where subject = 'job' and type in ('completed', 'failed', 'cancelled', 'died')
      and id > coalesce((select max(id) from events r where r.subject = 'job' and r.subject_id = e.subject_id
        and r.type = 'requeued'), 0)
    group by subject_id having count(*) > 1`,
  'a goal is completed with an open task': `
    select id from goals g where status = 'completed' and completed_at is null`,
  'a slot names a task that is not claimed from it': `
    select slot as id from worker_slots s where task_id is not null and not exists
      (select 1 from tasks where id = s.task_id and status = 'in_progress')`,
};

/** Checks a database that nobody uses any more: its pages, its references, and the rules above. Empty when all is well. */
export async function problemsOfDatabase(file: string): Promise<string[]> {
  const connection = connect(file, { readonly: true });
  try {
    const integrity = String(connection.pragma('integrity_check', { simple: true }));
    const references = connection.prepare('pragma foreign_key_check').all();
    const broken = Object.entries(rules).flatMap(([rule, query]) => {
      const rows = connection.prepare(query).all() as { id: unknown }[];
      return rows.length === 0 ? [] : [`${rule}: ${rows.length}, such as ${rows[0]?.id}`];
    });
    return [
      ...(integrity === 'ok' ? [] : [`integrity_check: ${integrity.slice(0, 300)}`]),
      ...(references.length === 0 ? [] : [`foreign_key_check: ${JSON.stringify(references[0])}`]),
      ...broken,
    ];
  } finally {
    connection.close();
  }
}
