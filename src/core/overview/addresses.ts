import type { Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';
import type { Event } from '../events/events.js';

/** A goal or job that is not done: what somebody may want to read or follow. */
export interface OpenThing {
  kind: 'goal' | 'job';
  id: string;
  /** A goal's name, a job's type. */
  name: string;
  status: string;
}

/** The active goals and the jobs that have not ended, of a project and of none, newest first. */
export async function listOpen(
  sql: Pick<Sql, 'all'>,
  project: string | undefined,
  limit: number,
): Promise<OpenThing[]> {
  const ofProject = is("project in (?, '')", project);
  const goals = where(is("status = 'active'"), ofProject);
  const jobs = where(is("status in ('pending', 'running')"), ofProject);
  return [
    ...(await sql.all<OpenThing>(
      `select 'goal' as kind, cast(id as text) as id, name, status from goals ${goals.text} order by goals.id desc limit ?`,
      ...goals.values,
      limit,
    )),
    ...(await sql.all<OpenThing>(
      `select 'job' as kind, id, type as name, status from jobs ${jobs.text} order by seq desc limit ?`,
      ...jobs.values,
      limit,
    )),
  ];
}

/** A task, goal or job by its kind and id. */
export interface Address {
  kind: 'goal' | 'task' | 'job';
  id: string;
}

/**
 * What looks different after a change: the thing itself, a task by its key too, the goal and the larger task of a task,
 * the tasks that wait for it, and the run or goal that a job works for.
 */
export async function shownBy(sql: Pick<Sql, 'all'>, { subject, subjectId }: Event): Promise<Address[]> {
  if (subject === 'goal') return [{ kind: 'goal', id: subjectId }];
  if (subject === 'task') return [{ kind: 'task', id: subjectId }, ...(await aroundTask(sql, Number(subjectId)))];
  if (subject === 'job') return [{ kind: 'job', id: subjectId }, ...(await aroundJob(sql, subjectId))];
  return [];
}

function aroundTask(sql: Pick<Sql, 'all'>, id: number): Promise<Address[]> {
  return sql.all<Address>(
    `select 'task' as kind, key as id from tasks where id = ? and key is not null
     union select 'goal', cast(goal_id as text) from tasks where id = ? and goal_id is not null
     union select 'task', cast(parent_id as text) from tasks where id = ? and parent_id is not null
     union select 'task', cast(task_id as text) from task_dependencies where depends_on = ?
     union select 'job', id from jobs where type = 'run_goal' and status = 'running'
       and goal_id in (select goal_id from tasks where id = ?)`,
    ...[id, id, id, id, id],
  );
}

function aroundJob(sql: Pick<Sql, 'all'>, id: string): Promise<Address[]> {
  return sql.all<Address>(
    `select 'job' as kind, parent_id as id from jobs where id = ? and parent_id is not null
     union select 'goal', cast(goal_id as text) from jobs where id = ? and goal_id is not null
     union select 'task', cast(task_id as text) from jobs where id = ? and task_id is not null`,
    ...[id, id, id],
  );
}
