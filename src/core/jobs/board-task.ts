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
import { storeTaskVerdict, toVerdict } from '../tasks/verdict.js';
import type { JobRow } from './job.js';
import { whyNoResult } from './refusal.js';

/** Lease of a job's claim. Every job ends, however often its runner is lost, so the claim needs no renewal. */
const foreverMs = 10 * 365 * 24 * 3_600_000;

/** Claims a board task for a job. Throws `conflict` or `already_claimed` when the task cannot be claimed now. */
export async function claimTaskForJob(
  sql: Sql,
  reference: TaskReference,
  jobId: string,
  actor: Actor,
  clock: Clock,
): Promise<TaskRow> {
  const change: Change = { at: clock.now(), actor };
  await releaseDueTasks(sql, change.at);
  const task = await findTask(sql, reference, actor.project);
  // A session may hand over a task that it holds itself.
  if (task.status === 'in_progress' && task.claimed_by === actor.holder) await releaseClaim(sql, task, change);
  return claimFor(sql, task, jobId, change, clock);
}

/** Claims the board task again for a job that is retried, and reopens it if it had ended. Throws as `claimTaskForJob`. */
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
 * Failures that are not the task's own and would hit every other task as well. In a run the task goes back to the board
 * as pending, and the run stops instead of failing one task after another.
 */
export const haltingCodes = ['budget_exhausted', 'circuit_open', 'not_configured', 'auth', 'exhausted', 'not_found'];

/** Detaches every job from its board task, before the board is emptied. */
export async function detachAllTasks(sql: Sql): Promise<void> {
  await sql.run('update jobs set task_id = null, task_claim_token = null where task_id is not null');
}

/** Ends the board task as its job ended, unless another claim has superseded the job's. */
export async function settleBoardTask(sql: Sql, job: JobRow, change: Change): Promise<void> {
  if (job.task_id === null) return;
  const task = await findTask(sql, job.task_id);
  if (task.status !== 'in_progress' || task.claim_token !== job.task_claim_token) return;
  const verdict = toVerdict(job.verdict);
  if (verdict) await storeTaskVerdict(sql, task.id, verdict, change);
  if (job.status === 'completed') {
    const result = resultOf(job);
    const refusal = whyNoResult(result);
    if (refusal === undefined) await finishTask(sql, task, 'completed', { result }, change);
    else await finishTask(sql, task, 'failed', { error: refusal, result: job.output ?? undefined }, change);
  } else if (job.status === 'failed' && !isHalted(job)) {
    const error = `Job ${job.id} failed: ${job.error_message ?? 'no reason given'}`;
    await finishTask(sql, task, 'failed', { error, result: job.output ?? undefined }, change);
  } else await releaseClaim(sql, task, change);
}

/** What a job has achieved. A model's is its answer alone; the result of its job only says how the call went. */
const resultOf = ({ type, output, result }: JobRow): string => output ?? (type === 'llm' ? '' : (result ?? ''));

const isHalted = ({ parent_id, error_code }: JobRow): boolean =>
  parent_id !== null && haltingCodes.includes(error_code ?? '');

/** SQL condition on `jobs`: its board task was cancelled. Such a job must not start, and is stopped if it runs. */
export const isTaskCancelled =
  "exists (select 1 from tasks where tasks.id = jobs.task_id and tasks.status = 'cancelled')";
