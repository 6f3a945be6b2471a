import { z } from 'zod';
import { cut } from '../../base/text.js';
import type { BoardTask } from '../../core/overview/board.js';
import { isRun, type RunningJob } from '../../core/overview/running.js';
import { iso } from '../../tools/call/fields.js';
import { toldEvent } from './activity/activity.js';
import { names } from './names.js';

/** Something that is being worked on. Fields that say nothing are left out; times are ISO 8601. */
const runningWork = z.strictObject({
  kind: z.enum(['task', 'job', 'run', 'step']),
  /** Of the task, or of the job. */
  id: z.string(),
  /** A task's title, a goal's name, a relay's name, or what people call the job. */
  name: z.string(),
  since: z.string(),
  /** Who has claimed the task. */
  worker: z.string().optional(),
  /** The job's type. */
  type: z.string().optional(),
  model: z.string().optional(),
  /** 0 to 1. */
  progress: z.number().optional(),
  progress_message: z.string().optional(),
  /** The last line of its output so far. */
  last_line: z.string().optional(),
  attempt: z.int().optional(),
  task_id: z.int().optional(),
  goal_id: z.int().optional(),
  goal_name: z.string().optional(),
  /** Of a step: `step` is counted from 1. */
  relay: z.strictObject({ id: z.string(), step: z.int(), steps: z.int(), agent: z.string().optional() }).optional(),
});

export type RunningItem = z.infer<typeof runningWork>;

/** `now`: what is being worked on, those that began first at the top, and what has happened in the last hour. */
export const now = z.strictObject({
  running: z.array(runningWork),
  /** All that is being worked on, shown or not. */
  running_count: z.int(),
  recent: z.array(toldEvent),
  names,
});

export type Now = z.infer<typeof now>;

const longestLine = 200;

/** A run is named by its goal, a step by its relay, as `kind` says the rest; any other job as everywhere. */
export function showRunningJob(job: RunningJob, jobName: string): RunningItem {
  const { relay } = job;
  return {
    kind: isRun(job) ? 'run' : relay === null ? 'job' : 'step',
    id: job.id,
    name: (isRun(job) ? job.goalName : relay?.name) ?? jobName,
    since: iso(job.startedAt),
    type: job.type,
    model: job.model ?? undefined,
    progress: job.progress ?? undefined,
    progress_message: job.progressMessage ?? undefined,
    last_line: lastLine(job.lastText ?? ''),
    attempt: job.attempt > 1 ? job.attempt : undefined,
    task_id: job.taskId ?? undefined,
    goal_id: job.goalId ?? undefined,
    goal_name: isRun(job) ? undefined : (job.goalName ?? undefined),
    relay:
      relay === null
        ? undefined
        : { id: relay.id, step: relay.step, steps: relay.steps, agent: relay.agent ?? undefined },
  };
}

function lastLine(text: string): string | undefined {
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? undefined : cut(line, longestLine);
}

export function showRunningTask(task: BoardTask, now: number): RunningItem {
  return {
    kind: 'task',
    id: String(task.id),
    name: task.title,
    since: iso(task.claimedAt ?? now),
    worker: task.worker ?? undefined,
    attempt: task.attempts > 1 ? task.attempts : undefined,
    task_id: task.id,
    goal_id: task.goalId ?? undefined,
  };
}
