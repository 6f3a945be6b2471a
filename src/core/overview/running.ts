import type { EpochMs } from '../../base/clock.js';
import { type Json, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import type { Event } from '../events/events.js';
import { runGoal } from '../jobs/job.js';
import { type BoardTask, readTasks } from './board.js';

/** A job that is being worked on, with what it is for: a task, a goal's run, or a step of a relay. */
export interface RunningJob {
  id: string;
  type: string;
  payload: Json;
  /** The attempt under way, or the run, began then. */
  startedAt: EpochMs;
  attempt: number;
  model: string | null;
  /** 0 to 1. */
  progress: number | null;
  progressMessage: string | null;
  /** The end of what its attempt has put out so far. */
  lastText: string | null;
  taskId: number | null;
  goalId: number | null;
  goalName: string | null;
  /** The relay whose step it works on, and which one of how many, counted from 1. */
  relay: { id: string; name: string; step: number; steps: number; agent: string | null } | null;
}

export interface RunningWork {
  /** Those that began first come first. */
  jobs: RunningJob[];
  jobCount: number;
  /** Tasks that sessions and people have claimed; those of jobs are among the jobs. */
  tasks: BoardTask[];
  taskCount: number;
}

/** What is being worked on now: at most `limit` jobs and as many tasks, and how many there are. */
export async function readRunning(sql: Sql, limit: number): Promise<RunningWork> {
  const [jobs, jobCount, tasks, taskCount] = await Promise.all([
    readRunningJobs(sql, limit),
    count(sql, "jobs where status = 'running'"),
    readTasks(sql, [{ text: claimedByPeople, values: [] }], 'started_at, id', limit),
    count(sql, `tasks where ${claimedByPeople}`),
  ]);
  return { jobs, jobCount, tasks, taskCount };
}

/** The claim of a job says so in the holder's name. */
const claimedByPeople = "status = 'in_progress' and claimed_by not like 'job:%'";

async function count(sql: Sql, what: string): Promise<number> {
  const row = await sql.get<{ count: number }>(`select count(*) as count from ${what}`);
  return row?.count ?? 0;
}

interface RunningRow extends Omit<RunningJob, 'payload' | 'relay'> {
  payload: string;
  relayId: string | null;
  relayName: string | null;
  stepIndex: number | null;
  steps: number | null;
  agent: string | null;
}

/** So much of a piece of output is read for its last line. */
const tail = 600;

const endOf = (column: string): string =>
  `substr(${column}, case when length(${column}) > ${tail} then length(${column}) - ${tail - 1} else 1 end)`;

async function readRunningJobs(sql: Sql, limit: number): Promise<RunningJob[]> {
  const rows = await sql.all<RunningRow>(
    `select j.id, j.type, j.payload, coalesce(a.started_at, j.started_at, j.created_at) as "startedAt", j.attempt,
       coalesce(a.model, j.model, j.requested_model) as model, j.progress, j.progress_message as "progressMessage",
       (select ${endOf('text')} from job_chunks c where c.job_id = j.id order by seq desc limit 1) as "lastText",
       j.task_id as "taskId", j.goal_id as "goalId", substr(g.name, 1, 240) as "goalName",
       p.id as "relayId", substr(p.name, 1, 240) as "relayName", b.step_index as "stepIndex", p.total_steps as steps,
       b.agent_id as agent
     from jobs j
       left join job_attempts a on a.job_id = j.id and a.attempt = j.attempt
       left join goals g on g.id = j.goal_id
       left join relay_batons b on b.job_id = j.id
       left join relay_pipelines p on p.id = b.pipeline_id
     where j.status = 'running' order by j.seq limit ?`,
    limit,
  );
  return rows.map(({ payload, relayId, relayName, stepIndex, steps, agent, ...row }) => ({
    ...row,
    payload: readJson<Json>(payload),
    relay:
      relayId === null
        ? null
        : { id: relayId, name: relayName ?? '', step: (stepIndex ?? 0) + 1, steps: steps ?? 0, agent },
  }));
}

export const isRun = ({ type }: Pick<RunningJob, 'type'>): boolean => type === runGoal;

/** What people want to know of; sessions, slots and processes come and go all the time. */
const worthTelling = "subject in ('goal', 'task', 'job', 'breaker', 'relay', 'message', 'runtime')";
/** So many events are looked at, whatever they are of. */
const mostRead = 1_000;

/** The newest events since a time of what people want to know of, newest first. */
export async function readRecent(sql: Sql, since: EpochMs, limit: number): Promise<Event[]> {
  const rows = await sql.all<Omit<Event, 'data'> & { data: string | null }>(
    `select id, at, subject, subject_id as "subjectId", type, project, actor, data
     from (select * from events order by id desc limit ${mostRead}) as newest
     where at >= ? and ${worthTelling} order by id desc limit ?`,
    since,
    limit,
  );
  return rows.map(({ data, ...row }) => ({ ...row, data: data === null ? {} : readJson(data) }));
}
