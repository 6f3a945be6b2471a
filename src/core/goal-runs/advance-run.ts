import type { Clock } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { estimateTokens, leastAnswerTokens, readBudget } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { progressOf } from '../goals/goals.js';
import { haltingCodes } from '../jobs/board-task.js';
import { cancelWaiting } from '../jobs/cancel-job.js';
import { addUpRunTokens, countOpenJobs, moveRunProgress, type RunPayload } from '../jobs/goal-run.js';
import type { JobRow } from '../jobs/job.js';
import type { JobEnded } from '../jobs/outcome.js';
import { submitJob } from '../jobs/submit-job.js';
import type { GoalRow } from '../tasks/goal.js';
import { findGoal } from '../tasks/goal.js';
import { readyNow, releaseDueTasks } from '../tasks/ready.js';
import type { TaskRow } from '../tasks/task.js';
import { lapseClaims } from '../tasks/transitions.js';
import { type Ending, endOfWork, endRun } from './end-run.js';
import { hasCancelledJob } from './explain-rest.js';
import { type TaskPrompt, taskPrompt } from './task-prompt.js';

export interface AdvanceNeeds {
  clock: Clock;
  onEnded: JobEnded;
}

/**
 * Moves a run on: hands ready tasks of its goal over to new jobs, as many at once as it may have, or ends it. Belongs in
 * every transaction in which one of its jobs ends, and may be called at any other time; it does nothing twice.
 */
export async function advanceRun(sql: Sql, run: JobRow, change: Change, needs: AdvanceNeeds): Promise<void> {
  const goal = await findGoal(sql, run.goal_id ?? 0);
  const stop = await whyStopped(sql, run, goal);
  if (stop) await cancelWaitingJobs(sql, run, change, needs);
  const ending = stop ?? (await giveOut(sql, run, goal, change, needs));
  const current = await findRunning(sql, run);
  // The last job that was cancelled has ended it.
  if (!current) return;
  const open = await countOpenJobs(sql, run.id);
  const end = open > 0 ? undefined : (ending ?? (await endOfWork(sql, run, goal)));
  if (end) await endRun(sql, current, end, change, needs.onEnded);
  else await noteProgress(sql, current, goal, open, change);
}

/** Why no more tasks are to be begun, whatever is ready. */
async function whyStopped(sql: Sql, run: JobRow, goal: GoalRow): Promise<Ending | undefined> {
  if (run.cancel_requested_at !== null) return { status: 'cancelled', message: 'The run was cancelled.' };
  if (goal.status === 'cancelled') return { status: 'cancelled', message: `Goal ${goal.id} was cancelled.` };
  const halted = await sql.get<JobRow>(
    `select * from jobs where parent_id = ? and status = 'failed' and error_code in (${marks}) order by completed_at limit 1`,
    run.id,
    ...haltingCodes,
  );
  if (!halted) return undefined;
  const message = `Job ${halted.id} of task ${halted.task_id} could not be done, nor could any other: ${halted.error_message}`;
  return { status: 'failed', code: halted.error_code ?? 'internal', message };
}

const marks = [...haltingCodes].map(() => '?').join(', ');

/** Resolves to the reason when the budget allows no more; what was given out before is done nevertheless. */
async function giveOut(
  sql: Sql,
  run: JobRow,
  goal: GoalRow,
  { at }: Change,
  { clock }: AdvanceNeeds,
): Promise<Ending | undefined> {
  await releaseDueTasks(sql, at);
  const payload = readJson<RunPayload>(run.payload);
  for (let open = await countOpenJobs(sql, run.id); open < payload.concurrency; open++) {
    const task = (await nextTask(sql, run, goal)) ?? (await nextLapsed(sql, run, goal, clock));
    if (!task) break;
    const asked = await taskPrompt(sql, goal, task);
    const spent = await whyTooDear(sql, goal, task, asked);
    if (spent) return spent;
    const actor = { holder: run.submitted_by, project: run.project };
    await submitJob(sql, taskJob(run, task, asked), actor, clock);
  }
  return undefined;
}

/** In the order of the board; one whose job was cancelled is not begun again by the same run. */
function nextTask(sql: Sql, run: JobRow, goal: GoalRow): Promise<TaskRow | undefined> {
  return sql.get<TaskRow>(
    `select * from tasks where ${readyNow} and goal_id = ? and not ${hasCancelledJob}
     order by priority desc, is_overdue desc, id limit 1`,
    goal.id,
    run.id,
  );
}

/** What was held by a session that is gone comes back into the line when nothing else is in it. */
async function nextLapsed(sql: Sql, run: JobRow, goal: GoalRow, clock: Clock): Promise<TaskRow | undefined> {
  return (await lapseClaims(sql, clock)).length > 0 ? nextTask(sql, run, goal) : undefined;
}

/** Refused here as its job would refuse it, rather than that a process is started to find it out. */
async function whyTooDear(
  sql: Sql,
  goal: GoalRow,
  task: TaskRow,
  { system, prompt }: TaskPrompt,
): Promise<Ending | undefined> {
  const { cap, spent } = await readBudget(sql, `goal:${goal.id}`);
  const needed = estimateTokens(prompt + system) + leastAnswerTokens;
  if (cap === null || needed <= cap - spent) return undefined;
  const message =
    `The token budget of goal ${goal.id} is reached: ${spent} of ${cap} tokens are spent, and task ${task.id} needs at ` +
    `least ${needed}. What is left is ready again; call run_goal with a higher token_budget.`;
  return { status: 'failed', code: 'budget_exhausted', message };
}

function taskJob(run: JobRow, task: TaskRow, { system, prompt }: TaskPrompt) {
  const { model } = readJson<RunPayload>(run.payload);
  return {
    type: 'llm',
    payload: { prompt, system, model, fallback_models: [], params: {}, must_be_whole: true },
    requires: run.requires ?? undefined,
    requestedModel: model,
    priority: task.priority,
    timeoutSeconds: run.timeout_seconds,
    maxAttempts: task.max_attempts,
    task: task.id,
    parentId: run.id,
    project: run.project,
  };
}

/** Each cancellation may move the run itself, so that they are looked for one at a time. */
async function cancelWaitingJobs(sql: Sql, run: JobRow, change: Change, { onEnded }: AdvanceNeeds): Promise<void> {
  const next = () =>
    sql.get<JobRow>("select * from jobs where parent_id = ? and status = 'pending' order by seq limit 1", run.id);
  for (let job = await next(); job; job = await next()) {
    await cancelWaiting(sql, job, 'The job was cancelled, because its run has come to an end.', change, onEnded);
  }
}

function findRunning(sql: Sql, run: JobRow): Promise<JobRow | undefined> {
  return sql.get<JobRow>("select * from jobs where seq = ? and status = 'running'", run.seq);
}

async function noteProgress(sql: Sql, run: JobRow, goal: GoalRow, open: number, { at }: Change): Promise<void> {
  const { total, completed, failed, cancelled } = await progressOf(sql, goal.id);
  const wanted = total - cancelled;
  const ends = failed > 0 ? `, ${failed} failed` : '';
  const message = `${completed} of ${wanted} tasks done${ends}, ${open > 0 ? `${open} under way` : 'waiting for others'}`;
  await addUpRunTokens(sql, run);
  await moveRunProgress(sql, run, wanted === 0 ? 0 : completed / wanted, message, at);
}
