import type { Clock } from '../../base/clock.js';
import { readJson } from '../../base/json.js';
import { dollars } from '../../base/money.js';
import type { Sql } from '../../store/sql.js';
import { recordedActor } from '../actor.js';
import { estimateTokens, leastAnswerTokens, readBudget, readMoney } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { progressOf } from '../goals/goals.js';
import { haltingCodes } from '../jobs/board-task.js';
import { writeCancelled } from '../jobs/cancel-job.js';
import { notifyDependents } from '../jobs/dependents.js';
import {
  addUpRunTokens,
  countOpenJobs,
  isPaused,
  moveRunProgress,
  type RunPayload,
  reloadLiveRun,
  writeRunEnd,
} from '../jobs/goal-run.js';
import type { JobRow } from '../jobs/job.js';
import type { JobEnded } from '../jobs/outcome.js';
import { findJob } from '../jobs/read-jobs.js';
import { submitJob } from '../jobs/submit-job.js';
import { findGoal, type GoalRow } from '../tasks/goal.js';
import { readyNow, releaseDueTasks } from '../tasks/ready.js';
import type { TaskRow } from '../tasks/task.js';
import { lapseClaims } from '../tasks/transitions.js';
import { explainUndone, hasCancelledJob, isMovedByOthers, type UndoneTask } from './run-summary.js';
import { type TaskPrompt, taskPrompt } from './task-prompt.js';

export interface AdvanceNeeds {
  clock: Clock;
  onEnded: JobEnded;
}

/** How a run ends, and the reason if it is not completed. */
type Ending =
  | { status: 'completed' }
  | { status: 'failed'; code: string; message: string }
  | { status: 'cancelled'; message: string };

/**
 * Advances a run: submits jobs for ready tasks of its goal, up to its concurrency, or ends it. Must be called in every
 * transaction in which one of its jobs ends. May be called at any other time: it is idempotent.
 */
export async function advanceRun(sql: Sql, run: JobRow, change: Change, needs: AdvanceNeeds): Promise<void> {
  const goal = await findGoal(sql, run.goal_id ?? 0);
  const stop = await whyStopped(sql, run, goal);
  if (stop) await cancelWaitingJobs(sql, run, change, needs);
  const isHeld = !stop && isPaused(run);
  const ending = stop ?? (isHeld ? undefined : await submitReadyTasks(sql, run, goal, change, needs));
  const current = await reloadLiveRun(sql, run);
  // Cancelling its last job has ended it already.
  if (!current) return;
  const open = await countOpenJobs(sql, run.id);
  const end = open > 0 ? undefined : (ending ?? (await endOfWork(sql, run, goal, isHeld)));
  if (end) await endRun(sql, current, end, change, needs.onEnded);
  else await recordProgress(sql, current, goal, open, change);
}

/** Why the run must submit no more jobs, whatever is ready. */
async function whyStopped(sql: Sql, run: JobRow, goal: GoalRow): Promise<Ending | undefined> {
  if (run.cancel_requested_at !== null) return { status: 'cancelled', message: 'The run was cancelled.' };
  if (goal.status === 'cancelled') return { status: 'cancelled', message: `Goal ${goal.id} was cancelled.` };
  const halted = await sql.get<JobRow>(
    `select * from jobs where parent_id = ? and status = 'failed' and error_code in (${marks}) order by completed_at limit 1`,
    run.id,
    ...haltingCodes,
  );
  if (!halted) return undefined;
  const message = `Job ${halted.id} of task ${halted.task_id} failed, and every other would fail in the same way: ${halted.error_message}`;
  return { status: 'failed', code: halted.error_code ?? 'internal', message };
}

const marks = [...haltingCodes].map(() => '?').join(', ');

/** Resolves to the reason if the budget is reached; jobs that were submitted before go on. */
async function submitReadyTasks(
  sql: Sql,
  run: JobRow,
  goal: GoalRow,
  { at }: Change,
  { clock }: AdvanceNeeds,
): Promise<Ending | undefined> {
  await releaseDueTasks(sql, at);
  const payload = readJson<RunPayload>(run.payload);
  for (let open = await countOpenJobs(sql, run.id); open < payload.concurrency; open++) {
    const task = (await nextTask(sql, run, goal)) ?? (await nextReclaimed(sql, run, goal, clock));
    if (!task) break;
    const prompt = await taskPrompt(sql, goal, task);
    const refusal = await whyOverBudget(sql, goal, task, prompt);
    if (refusal) return refusal;
    const actor = recordedActor(run.submitted_by, run.project);
    await submitJob(sql, taskJob(run, task, prompt), actor, clock);
  }
  return undefined;
}

/** The next ready task, in the order of the board. A run does not retry a task whose job was cancelled by hand. */
function nextTask(sql: Sql, run: JobRow, goal: GoalRow): Promise<TaskRow | undefined> {
  return sql.get<TaskRow>(
    `select * from tasks where ${readyNow} and goal_id = ? and not ${hasCancelledJob}
     order by priority desc, is_overdue desc, id limit 1`,
    goal.id,
    run.id,
  );
}

/** The next task after lapsed claims were reclaimed, which happens only when nothing else is ready. */
async function nextReclaimed(sql: Sql, run: JobRow, goal: GoalRow, clock: Clock): Promise<TaskRow | undefined> {
  return (await lapseClaims(sql, clock)).length > 0 ? nextTask(sql, run, goal) : undefined;
}

/** The job itself would refuse this task as well, but only after a process was started for it. */
async function whyOverBudget(
  sql: Sql,
  goal: GoalRow,
  task: TaskRow,
  { system, prompt }: TaskPrompt,
): Promise<Ending | undefined> {
  const money = await readMoney(sql, `goal:${goal.id}`);
  if (money.cap !== null && money.spent >= money.cap) {
    const message =
      `The budget of goal ${goal.id} is reached: ${dollars(money.spent)} of ${dollars(money.cap)} are spent. The remaining ` +
      'tasks are ready again; call run_goal with a higher budget_usd.';
    return { status: 'failed', code: 'budget_exhausted', message };
  }
  const { cap, spent } = await readBudget(sql, `goal:${goal.id}`);
  const needed = estimateTokens(prompt + system) + leastAnswerTokens;
  if (cap === null || needed <= cap - spent) return undefined;
  const message =
    `The token budget of goal ${goal.id} is reached: ${spent} of ${cap} tokens are spent, and task ${task.id} needs at ` +
    `least ${needed}. The remaining tasks are ready again; call run_goal with a higher token_budget.`;
  return { status: 'failed', code: 'budget_exhausted', message };
}

function taskJob(run: JobRow, task: TaskRow, { system, prompt }: TaskPrompt) {
  const { model, verify = true, worktrees_of: directory } = readJson<RunPayload>(run.payload);
  const unverified = verify ? {} : { verify };
  const place = directory === undefined ? {} : { working_directory: directory, worktree: true };
  return {
    type: 'llm',
    payload: { prompt, system, model, fallback_models: [], params: {}, must_be_whole: true, ...unverified, ...place },
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

/** Jobs are read one at a time, because each cancellation may advance the run itself. */
async function cancelWaitingJobs(sql: Sql, run: JobRow, change: Change, { onEnded }: AdvanceNeeds): Promise<void> {
  const next = () =>
    sql.get<JobRow>("select * from jobs where parent_id = ? and status = 'pending' order by seq limit 1", run.id);
  for (let job = await next(); job; job = await next()) {
    await writeCancelled(sql, job, 'The job was cancelled, because its run has ended.', change, onEnded);
  }
}

async function recordProgress(sql: Sql, run: JobRow, goal: GoalRow, open: number, { at }: Change): Promise<void> {
  const { total, completed, failed, cancelled } = await progressOf(sql, goal.id);
  const wanted = total - cancelled;
  const ends = failed > 0 ? `, ${failed} failed` : '';
  const now = open > 0 ? `${open} under way` : isPaused(run) ? '' : 'waiting for others';
  const message = [`${completed} of ${wanted} tasks done${ends}`, now, isPaused(run) && 'paused']
    .filter(Boolean)
    .join(', ');
  await addUpRunTokens(sql, run);
  await moveRunProgress(sql, run, wanted === 0 ? 0 : completed / wanted, message, at);
}

/** How a run ends that has no open jobs and no ready task; `undefined` if it is paused or others will make a task ready. */
async function endOfWork(sql: Sql, run: JobRow, goal: GoalRow, isHeld: boolean): Promise<Ending | undefined> {
  const { pending, in_progress, failed, completed } = await progressOf(sql, goal.id);
  const open = pending + in_progress;
  if (open + failed + completed === 0) return { status: 'cancelled', message: `Goal ${goal.id} has no tasks left.` };
  if (open === 0 && failed === 0) return { status: 'completed' };
  if (open > 0 && (isHeld || (await isMovedByOthers(sql, goal.id)))) return undefined;
  const left = open + failed;
  const message =
    `${left} ${left === 1 ? 'task is' : 'tasks are'} not done, and nothing is ready. ` +
    `${nameSome(await explainUndone(sql, goal.id, run.id), left)} ` +
    'Reopen or cancel the tasks that the others wait for (update_task_status, edit_task), then call run_goal again.';
  return { status: 'failed', code: 'stuck', message };
}

/** Names the first few; the summary in the run's result has more. */
function nameSome(tasks: readonly UndoneTask[], count: number): string {
  const named = tasks.slice(0, 4).map(({ task_id, title, because }) => `Task ${task_id} "${title}": ${because}`);
  return named.join(' ') + (count > named.length ? ` And ${count - named.length} more.` : '');
}

/** Writes the end of a run and notifies the jobs that depend on it; `onEnded` stores its summary. */
async function endRun(sql: Sql, run: JobRow, ending: Ending, change: Change, onEnded: JobEnded): Promise<void> {
  const { status } = ending;
  const code = ending.status === 'failed' ? ending.code : ending.status === 'cancelled' ? 'cancelled' : null;
  const message = ending.status === 'completed' ? null : ending.message;
  await writeRunEnd(sql, run, { status, code, message }, change.at);
  const data = { type: run.type, ...(message === null ? {} : { code, message }) };
  await recordEvent(sql, { ...change, subject: 'job', subjectId: run.id, type: status, data });
  await notifyDependents(sql, await findJob(sql, run.id), change, onEnded);
}
