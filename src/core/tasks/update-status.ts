import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { hasLapsed } from '../lease.js';
import { type ClaimOptions, claimantFor, claimOne, renewClaim } from './claim.js';
import { type ClaimProof, isOwnClaim, refuseOldToken, requireClaim } from './claim-proof.js';
import { explainWaiting, releaseDueTasks } from './ready.js';
import { findTask, lockTask, type TaskReference, type TaskRow, type TaskStatus, taskName } from './task.js';
import { finishTask, reclaim, recordOutcome, releaseClaim, reopenTask, type TaskOutcome } from './transitions.js';

export interface StatusUpdate extends TaskOutcome {
  task: TaskReference;
  status: TaskStatus;
  claimToken?: number | undefined;
  note?: string | undefined;
  /** For a claim that this makes. */
  claim?: ClaimOptions | undefined;
}

/** What no change of its status changes of a task. */
export type ChangedRow = Pick<TaskRow, 'id' | 'goal_id'>;

/** One update under way. */
interface Step extends ClaimProof {
  sql: Sql;
  update: StatusUpdate;
  clock: Clock;
  change: Change;
}

/**
 * Changes the status of a task, if the state machine allows it and the caller may do it. Which transition it is follows
 * from the present status and the wanted one; `transitions.ts` makes it. Throws `conflict` for a step that the state
 * machine does not have, `already_claimed`, `stale_claim`, `not_found`; then nothing is changed. Resolves to which task it
 * was; what it has become is read with the commit.
 */
export async function updateStatus(sql: Sql, update: StatusUpdate, actor: Actor, clock: Clock): Promise<ChangedRow> {
  const change: Change = { at: clock.now(), actor };
  const step: Step = { sql, update, clock, change, actor, claimToken: update.claimToken };
  await releaseDueTasks(sql, change.at);
  const row = await findLive(step);
  refuseOldToken(row, step);
  if (row.status === 'in_progress') await leaveInProgress(row, step);
  else if (row.status === update.status) await repeat(row, step);
  else if (row.status === 'pending') await leavePending(row, step);
  else await reopen(row, step);

  if (update.note !== undefined) {
    const data = { note: update.note };
    await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'note', data });
  }
  return row;
}

/** The task, locked. A lapsed claim on it is ended first, unless the caller acts on that claim. */
async function findLive(step: Step): Promise<TaskRow> {
  const { sql, update, clock } = step;
  const row = await lockTask(sql, update.task, step.actor.project);
  if (row.status !== 'in_progress' || update.claimToken !== undefined || !hasLapsed(row, clock)) return row;
  if (isOwnClaim(row, step) && update.status !== 'in_progress') return row;
  await reclaim(sql, row, { at: step.change.at });
  return findTask(sql, row.id);
}

async function leaveInProgress(row: TaskRow, step: Step): Promise<void> {
  const { sql, update, actor, clock, change } = step;
  // Anyone may cancel a task; every other step is for the holder of the claim.
  if (update.status !== 'cancelled') requireClaim(row, step, clock);
  switch (update.status) {
    case 'in_progress':
      await renewClaim(sql, row, claimantFor(actor, update.claim ?? {}, clock).lease);
      return recordOutcome(sql, row, update, change);
    case 'pending':
      await recordOutcome(sql, row, update, change);
      return releaseClaim(sql, row, change);
    default:
      return finishTask(sql, row, update.status, update, change);
  }
}

async function leavePending(row: TaskRow, step: Step): Promise<void> {
  const { sql, update, actor, clock, change } = step;
  if (update.claimToken !== undefined) throw endedClaim(row);
  if (update.status === 'cancelled') return finishTask(sql, row, 'cancelled', update, change);
  await refuseWaiting(row, step);
  // Work done without a claim is claimed now, so that the row says who did it.
  const claimed = await claimOne(sql, row.id, claimantFor(actor, update.claim ?? {}, clock), change);
  if (!claimed) throw new Error(`Task ${taskName(row)} is ready and yet cannot be claimed.`);
  if (update.status === 'completed' || update.status === 'failed') {
    return finishTask(sql, claimed, update.status, update, change);
  }
  return recordOutcome(sql, claimed, update, change);
}

async function refuseWaiting(row: TaskRow, { sql, update: { status } }: Step): Promise<void> {
  const reason = await explainWaiting(sql, row);
  if (!reason) return;
  throw new RuntimeError(
    'conflict',
    `Task ${taskName(row)} cannot be ${status === 'in_progress' ? 'started' : status} yet. ${reason}`,
    'Call claim_next_task for work that is ready, or edit_task to change what it waits for.',
  );
}

function endedClaim(row: TaskRow): RuntimeError {
  return new RuntimeError(
    'stale_claim',
    `The claim on task ${taskName(row)} with token ${row.claim_token} has ended; the task is open again. Nothing was written.`,
    'Claim it again with claim_next_task or update_task_status in_progress, then repeat this call.',
  );
}

/** The same status again: a call repeated because its answer was lost, or a late addition to what is stored. */
async function repeat(row: TaskRow, step: Step): Promise<void> {
  const { sql, update, change } = step;
  // Tokens are not counted again.
  const { result, error } = update;
  const adds = (result !== undefined && result !== row.result) || (error !== undefined && error !== row.error);
  if (row.status === 'pending' && adds && update.claimToken !== undefined) throw endedClaim(row);
  if (row.status === 'completed' || row.status === 'failed') refuseDoneByAnother(row, step, adds);
  if (adds) await recordOutcome(sql, row, { result, error }, change);
}

/**
 * A second worker must learn that another has done the task. Callers without a session cannot be told apart, so they may
 * repeat a call that adds nothing.
 */
function refuseDoneByAnother(row: TaskRow, step: Step, adds: boolean): void {
  if (row.claimed_by === null || step.claimToken !== undefined || isOwnClaim(row, step)) return;
  if (step.actor.holder === null && !adds) return;
  throw new RuntimeError(
    'conflict',
    `Task ${taskName(row)} was already ${row.status} by ${row.claimed_by}; nothing was written.`,
    'Call get_task to read the result, and claim_next_task for other work.',
  );
}

async function reopen(row: TaskRow, { sql, update, change }: Step): Promise<void> {
  await sql.alone();
  if (update.status !== 'pending') {
    throw new RuntimeError(
      'conflict',
      `Task ${taskName(row)} is ${row.status} and cannot become ${update.status}.`,
      'Set it to pending first; then it can be claimed again.',
    );
  }
  await reopenTask(sql, row, change);
  await recordOutcome(sql, row, update, change);
}
