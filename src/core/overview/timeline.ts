import type { EpochMs } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { type BatonStatus, isOpenBaton } from '../relay/baton.js';
import { findPipeline } from '../relay/pipeline.js';
import { type Name, readNames } from './names.js';
import { readTaskSpans, type Span, type SpanState, type TaskSpan, type TimedTask, timedColumns } from './task-spans.js';

/** Spans of work, oldest first; `leftOut` says whether there were more than are read. */
export interface Timeline {
  spans: Span[];
  isCut: boolean;
}

export interface TimeRange {
  from: EpochMs;
  to: EpochMs;
}

const mostTasks = 300;
const mostJobs = 200;
/** The newest events, among which claims that ended without a result are looked for. */
const tail = 5_000;

/**
 * What workers and background jobs did between two times, a lane a worker, and a lane a type for jobs that work on no
 * task. Of more than 300 tasks or 200 jobs it tells the newest.
 */
export async function readWorkTimeline(sql: Sql, { from, to }: TimeRange): Promise<Timeline> {
  const tasks = await tasksWithin(sql, { from, to });
  const claims = await readTaskSpans(sql, tasks);
  const jobs = await jobsWithin(sql, { from, to });
  const names = await readNames(sql, [
    ...claims.flatMap(({ worker, holder }) => (worker || holder === null ? [] : [holder])),
    ...jobs.map(({ id }) => `job:${id}`),
  ]);
  const spans = [
    ...claims.map(({ worker, holder, ...span }) => ({ ...span, lane: laneOf({ worker, holder }, names) })),
    ...jobs.map((job) => ({ ...job, title: names.get(`job:${job.id}`)?.name ?? job.title })),
  ].filter((span) => span.from <= to && (span.to === null || span.to >= from));
  return { spans: inOrder(spans), isCut: tasks.length >= mostTasks || jobs.length >= mostJobs };
}

/** The tasks of a goal that somebody has worked on, a lane each. */
export async function readGoalTimeline(sql: Sql, goalId: number): Promise<Timeline> {
  const tasks = await sql.all<TimedTask>(
    `select ${timedColumns} from tasks where goal_id = ? and started_at is not null order by id desc limit ?`,
    goalId,
    mostTasks,
  );
  const claims = await readTaskSpans(sql, tasks);
  const spans = claims.map(({ worker: _, holder: __, ...span }) => ({ ...span, lane: `#${span.id} ${span.title}` }));
  return { spans: inOrder(spans), isCut: tasks.length >= mostTasks };
}

const inOrder = (spans: Span[]): Span[] => spans.sort((a, b) => a.from - b.from || (a.lane < b.lane ? -1 : 1));

/** A name by which people know the lane: a worker, the jobs of the runtime, or the client of a session. */
function laneOf({ worker, holder }: Pick<TaskSpan, 'worker' | 'holder'>, names: ReadonlyMap<string, Name>): string {
  if (worker !== null && worker !== '') return worker;
  if (holder === null) return 'the page or a shell';
  if (holder.startsWith('job:')) return 'background jobs';
  return names.get(holder)?.name ?? holder;
}

async function tasksWithin(sql: Sql, { from, to }: TimeRange): Promise<TimedTask[]> {
  const found = new Map<number, TimedTask>();
  const add = async (text: string, ...values: (number | string)[]) => {
    for (const row of await sql.all<TimedTask>(`select ${timedColumns} from tasks where ${text}`, ...values)) {
      found.set(row.id, row);
    }
  };
  await add("status = 'in_progress' order by id desc limit ?", mostTasks);
  for (const status of ['completed', 'failed', 'cancelled']) {
    await add(
      // The index of ended tasks is taken only where this is said in these words.
      `status in ('completed', 'failed', 'cancelled') and status = '${status}' and completed_at >= ? and started_at <= ?
       order by completed_at desc limit ?`,
      from,
      to,
      mostTasks,
    );
  }
  const givenBack = await sql.all<{ subject_id: string }>(
    `select distinct subject_id from (select subject, subject_id, type, at from events order by id desc limit ?) as newest
     where subject = 'task' and type in ('lapsed', 'released') and at >= ? limit ?`,
    tail,
    from,
    mostTasks,
  );
  const others = givenBack.map(({ subject_id }) => Number(subject_id)).filter((id) => !found.has(id));
  if (others.length > 0) await add(`id in (${others.map(() => '?').join(', ')})`, ...others);
  const newest = (row: TimedTask) => row.completed_at ?? Number.POSITIVE_INFINITY;
  return [...found.values()].sort((a, b) => newest(b) - newest(a) || b.id - a.id).slice(0, mostTasks);
}

interface TimedJob {
  id: string;
  type: string;
  model: string | null;
  status: 'running' | 'completed' | 'failed' | 'cancelled';
  started_at: EpochMs;
  completed_at: EpochMs | null;
  attempt: number;
  error: string | null;
}

/** Jobs that work on no task, by the times of their last attempt. */
async function jobsWithin(sql: Sql, { from, to }: TimeRange): Promise<Span[]> {
  const columns = `id, type, coalesce(model, requested_model) as model, status, started_at, completed_at, attempt,
    substr(error_message, 1, 300) as error`;
  const running = await sql.all<TimedJob>(
    `select ${columns} from jobs where status = 'running' and started_at is not null and task_id is null
     order by seq desc limit ?`,
    mostJobs,
  );
  const ended = await sql.all<TimedJob>(
    `select ${columns} from jobs where completed_at >= ? and started_at <= ? and task_id is null
     order by completed_at desc limit ?`,
    from,
    to,
    mostJobs,
  );
  return [...running, ...ended].slice(0, mostJobs).map((job) => ({
    lane: `${job.type} jobs`,
    kind: 'job' as const,
    id: job.id,
    title: job.model ?? job.type,
    state: job.status,
    from: job.started_at,
    to: job.completed_at,
    attempt: job.attempt,
    error: job.status === 'completed' ? null : job.error,
  }));
}

interface StepTime {
  id: string;
  step_index: number;
  agent_type: string;
  agent_id: string | null;
  status: BatonStatus;
  attempt: number;
  created_at: EpochMs;
  passed_at: EpochMs | null;
  is_open: number;
  job_id: string | null;
  result_at: EpochMs | null;
  result_status: 'passed' | 'failed' | null;
  error: string | null;
  /** When the next baton of the relay was made. */
  next_at: EpochMs | null;
}

interface StepAttempt {
  job_id: string;
  outcome: SpanState | null;
  error: string | null;
  started_at: EpochMs;
  ended_at: EpochMs | null;
}

const mostBatons = 300;

/** The steps of a relay with their attempts, a lane a step: the attempts of its jobs, or the time that somebody had the baton. */
export async function readRelayTimeline(sql: Sql, pipelineId: string): Promise<Timeline> {
  const pipeline = await findPipeline(sql, pipelineId);
  const steps = await sql.all<StepTime>(
    `select b.id, b.step_index, s.agent_type, b.agent_id, b.status, b.attempt, b.created_at, b.passed_at, b.job_id,
       case when b.${isOpenBaton} then 1 else 0 end as is_open,
       (select max(r.created_at) from relay_results r where r.baton_id = b.id) as result_at,
       (select min(r.status) from relay_results r where r.baton_id = b.id) as result_status,
       (select max(substr(r.error_message, 1, 300)) from relay_results r where r.baton_id = b.id) as error,
       (select min(o.created_at) from relay_batons o where o.pipeline_id = b.pipeline_id and o.created_at > b.created_at)
         as next_at
     from relay_batons b join relay_steps s on s.pipeline_id = b.pipeline_id and s.step_index = b.step_index
     where b.pipeline_id = ? order by b.created_at desc, b.attempt desc limit ?`,
    pipelineId,
    mostBatons,
  );
  const jobIds = steps.flatMap(({ job_id }) => (job_id === null ? [] : [job_id]));
  const attempts =
    jobIds.length === 0
      ? []
      : await sql.all<StepAttempt>(
          `select job_id, outcome, substr(error_message, 1, 300) as error, started_at, ended_at from job_attempts
           where job_id in (${jobIds.map(() => '?').join(', ')}) order by started_at desc limit ?`,
          ...jobIds,
          mostBatons,
        );
  const spans = steps.flatMap((step) => spansOfStep(step, attempts, pipeline.completedAt));
  return { spans: inOrder(spans), isCut: steps.length >= mostBatons };
}

function spansOfStep(step: StepTime, attempts: readonly StepAttempt[], endedAt: EpochMs | null): Span[] {
  const common = {
    lane: `${step.step_index + 1}. ${step.agent_type}`,
    title: step.agent_id || step.agent_type,
    attempt: step.attempt,
  };
  const ofJob = attempts.filter(({ job_id }) => job_id === step.job_id);
  if (step.job_id !== null && ofJob.length > 0) {
    const { job_id } = step;
    return ofJob.map(({ outcome, error, started_at, ended_at }) => ({
      ...common,
      kind: 'job',
      id: job_id,
      // An answer that did not pass the gate is a completed attempt of the job, and a failed one of the step.
      state: outcome === 'completed' && step.result_status === 'failed' ? 'failed' : (outcome ?? 'running'),
      from: started_at,
      to: ended_at,
      error: error ?? step.error,
    }));
  }
  const isOpen = step.is_open === 1;
  const to = isOpen ? null : (step.result_at ?? step.passed_at ?? step.next_at ?? endedAt);
  if (!isOpen && to === null) return [];
  return [
    { ...common, kind: 'step', id: step.id, state: stateOfStep(step), from: step.created_at, to, error: step.error },
  ];
}

function stateOfStep({ is_open, status, result_status }: StepTime): SpanState {
  if (is_open === 1) return status === 'in_progress' || status === 'pending' ? 'running' : 'waiting';
  if (result_status === 'passed') return 'completed';
  if (result_status === 'failed' || status === 'failed') return 'failed';
  return status === 'passed' ? 'completed' : 'cancelled';
}
