import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { leaseFor } from '../lease.js';
import { claimOne } from '../tasks/claim.js';
import { heldByAnother } from '../tasks/claim-proof.js';
import { explainWaiting, releaseDueTasks } from '../tasks/ready.js';
import type { TaskRow } from '../tasks/task.js';
import { findTask, type TaskReference } from '../tasks/task.js';
import { finishTask, releaseClaim, reopenTask } from '../tasks/transitions.js';
import type { JobRow } from './job.js';

/** A job always reaches an end, however often its runner is lost, so its claim needs no renewal. */
const foreverMs = 10 * 365 * 24 * 3_600_000;

/** Claims a board task for a job. Throws `conflict` or `already_claimed` when it cannot be worked on now. */
export async function claimTaskForJob(
  sql: Sql,
  reference: TaskReference,
  jobId: string,
  actor: Actor,
  clock: Clock,
): Promise<TaskRow> {
  const change: Change = { at: clock.now(), actor };
  await releaseDueTasks(sql, change.at);
  const task = await findTask(sql, reference);
  // A session may hand over what it holds itself.
  if (task.status === 'in_progress' && task.claimed_by === actor.holder) await releaseClaim(sql, task, change);
  return claimFor(sql, task, jobId, change, clock);
}

/**
 * A job that failed or was cancelled runs again, and so the board task that it had given back or failed is its own again.
 * Throws as `claimTaskForJob` does.
 */
export async function reclaimTask(sql: Sql, job: JobRow, change: Change, clock: Clock): Promise<void> {
  if (job.task_id === null) return;
  const task = await findTask(sql, job.task_id);
  if (task.status === 'failed' || task.status === 'cancelled') await reopenTask(sql, task, change);
  const claimed = await claimFor(sql, await findTask(sql, task.id), job.id, change, clock);
  await sql.run('update jobs set task_claim_token = ? where seq = ?', claimed.claim_token, job.seq);
}

async function claimFor(sql: Sql, task: TaskRow, jobId: string, change: Change, clock: Clock): Promise<TaskRow> {
  const claimant = { holder: `job:${jobId}`, lease: leaseFor(clock, foreverMs) };
  const claimed = await claimOne(sql, task.id, claimant, change);
  if (claimed) return claimed;
  if (task.status === 'in_progress') throw heldByAnother(task);
  const reason = (await explainWaiting(sql, task)) ?? `It is ${task.status}.`;
  throw new RuntimeError(
    'conflict',
    `Task ${task.id} cannot be handed over. ${reason}`,
    'Call get_task to see its state.',
  );
}

/**
 * Failures that have nothing to do with the task and would meet every other as well: in a run the task goes back to the
 * board unharmed, and the run stops rather than fail them all.
 */
export const haltingCodes = ['budget_exhausted', 'circuit_open', 'not_configured', 'auth', 'exhausted', 'not_found'];

/** Detaches every job from its board task, before the board is emptied. */
export async function detachAllTasks(sql: Sql): Promise<void> {
  await sql.run('update jobs set task_id = null, task_claim_token = null where task_id is not null');
}

/** Gives the board task the outcome of its job, unless the claim has been superseded since. */
export async function settleBoardTask(sql: Sql, job: JobRow, change: Change): Promise<void> {
  if (job.task_id === null) return;
  const task = await findTask(sql, job.task_id);
  if (task.status !== 'in_progress' || task.claim_token !== job.task_claim_token) return;
  const refusal = refusalOf(job);
  if (refusal !== undefined) {
    await finishTask(sql, task, 'failed', { error: refusal, result: job.output ?? undefined }, change);
  } else if (job.status === 'completed') {
    await finishTask(sql, task, 'completed', { result: job.output ?? job.result ?? undefined }, change);
  } else if (job.status === 'failed' && !isHalted(job)) {
    const error = `Job ${job.id} failed: ${job.error_message ?? 'no reason given'}`;
    await finishTask(sql, task, 'failed', { error, result: job.output ?? undefined }, change);
  } else await releaseClaim(sql, task, change);
}

/** With this begins the answer of a model that cannot do a task of a run, and has been told to say so. */
export const refusalMark = 'CANNOT:';

function refusalOf({ parent_id, status, output }: JobRow): string | undefined {
  const isRefused = parent_id !== null && status === 'completed' && output?.trimStart().startsWith(refusalMark);
  return isRefused
    ? `The model could not do it: ${output?.trimStart().slice(refusalMark.length).trim().slice(0, 1_000)}`
    : undefined;
}

const isHalted = ({ parent_id, error_code }: JobRow): boolean =>
  parent_id !== null && haltingCodes.includes(error_code ?? '');

/** True of a job whose board task was taken off the board: it is not to be started, and to be ended if it runs. */
export const isTaskCancelled =
  "exists (select 1 from tasks where tasks.id = jobs.task_id and tasks.status = 'cancelled')";
