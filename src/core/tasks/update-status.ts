import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { spend } from '../budget/ledger.js';
import { leaseValues } from '../coordination/lease.js';
import { recordEvent } from '../events/events.js';
import { completeGoalIfDone, openGoalForWork } from '../goals/completion.js';
import { claimantFor, explainWaiting, refuseOldToken, requireClaim } from './claim.js';
import { claimOne, releaseDueTasks } from './claim-next.js';
import { type Change, failDependents, reopenDependents, satisfyDependents } from './dependencies.js';
import { findTask, type TaskReference } from './references.js';
import type { TaskRow, TaskStatus } from './task.js';

export interface StatusUpdate {
  task: TaskReference;
  status: TaskStatus;
  /** Absent ones leave what is stored. */
  result?: string | undefined;
  error?: string | undefined;
  claimToken?: number | undefined;
  /** Added to the task's and to its goal's tokens. */
  tokensUsed?: number | undefined;
  note?: string | undefined;
}

/**
 * Moves a task to a status, if that is a legal step and the caller may take it.
 * Throws `conflict` for an illegal step, `already_claimed`, `stale_claim`, `not_found`.
 */
export async function updateStatus(sql: Sql, update: StatusUpdate, actor: Actor, clock: Clock): Promise<TaskRow> {
  const change: Change = { at: clock.now(), actor };
  await releaseDueTasks(sql, change.at);
  const row = await findTask(sql, update.task);
  const { status } = update;

  if (row.status === 'in_progress') {
    // Anyone may cancel, as one takes a task off a board; every other step belongs to the holder.
    if (status === 'cancelled') refuseOldToken(row, { actor, claimToken: update.claimToken });
    else requireClaim(row, { actor, claimToken: update.claimToken }, clock);
    if (status === 'in_progress') await renewClaim(sql, row, actor, clock);
    else if (status === 'pending') await releaseClaim(sql, row, change);
    else await finishTask(sql, row, status, update, change);
  } else {
    refuseOldToken(row, { actor, claimToken: update.claimToken });
    if (row.status === status) await annotate(sql, row, update, change);
    else if (row.status === 'pending') await leavePending(sql, row, update, actor, clock);
    else await reopen(sql, row, update, change);
  }

  if (update.note !== undefined) {
    await recordEvent(sql, {
      ...change,
      subject: 'task',
      subjectId: row.id,
      type: 'note',
      data: { note: update.note },
    });
  }
  return findTask(sql, row.id);
}

async function leavePending(sql: Sql, row: TaskRow, update: StatusUpdate, actor: Actor, clock: Clock): Promise<void> {
  const change: Change = { at: clock.now(), actor };
  if (update.claimToken !== undefined) {
    throw new RuntimeError(
      'stale_claim',
      `The claim on task ${row.id} with token ${update.claimToken} has ended; the task is ready again. Nothing was written.`,
      'Claim it again with claim_next_task or update_task_status in_progress, then repeat this call.',
    );
  }
  if (update.status === 'cancelled') return finishTask(sql, row, 'cancelled', update, change);
  const waiting = await explainWaiting(sql, row);
  if (waiting)
    throw new RuntimeError('conflict', `Task ${row.id} cannot be ${word(update.status)} yet. ${waiting}`, nextStep);
  if (update.status === 'in_progress') await claimOne(sql, row.id, claimantFor(actor, {}, clock), change);
  else if (update.status === 'completed' || update.status === 'failed') {
    await finishTask(sql, row, update.status, update, change);
  }
}

const nextStep = 'Call claim_next_task for work that is ready, or edit_task to change what it waits for.';

function word(status: TaskStatus): string {
  return status === 'in_progress' ? 'started' : status;
}

/** Ends a task, and tells those that wait for it. */
export async function finishTask(
  sql: Sql,
  row: TaskRow,
  status: 'completed' | 'failed' | 'cancelled',
  outcome: Pick<StatusUpdate, 'result' | 'error' | 'tokensUsed'>,
  change: Change,
): Promise<void> {
  await sql.run(
    `update tasks set status = ?, result = coalesce(?, result), error = coalesce(?, error),
       tokens_used = tokens_used + ?, started_at = coalesce(started_at, ?), completed_at = ?, updated_at = ?,
       worker_slot = null, lease_expires_at = null, lease_expires_tick = null, lease_boot_id = null
     where id = ?`,
    status,
    outcome.result ?? null,
    outcome.error ?? null,
    outcome.tokensUsed ?? 0,
    status === 'cancelled' ? null : change.at,
    change.at,
    change.at,
    row.id,
  );
  await freeSlotOf(sql, row);
  await recordEvent(sql, {
    ...change,
    subject: 'task',
    subjectId: row.id,
    type: status,
    data: { claim_token: row.claim_token, ...(outcome.error === undefined ? {} : { error: outcome.error }) },
  });
  if (row.goal_id !== null && outcome.tokensUsed)
    await spend(sql, `goal:${row.goal_id}`, outcome.tokensUsed, change.at);

  const goals = new Set([row.goal_id]);
  if (status === 'completed') await satisfyDependents(sql, row.id);
  else for (const goal of await failDependents(sql, row.id, change)) goals.add(goal);
  for (const goal of goals) await completeGoalIfDone(sql, goal, change);
}

/** Gives a claimed task back unfinished; the attempt does not count. */
export async function releaseClaim(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await sql.run(
    `update tasks set ${unclaimed}, attempts = attempts - 1, updated_at = ? where id = ?`,
    change.at,
    row.id,
  );
  await freeSlotOf(sql, row);
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'released' });
}

/** What a row loses when it goes back into the line; the token stays, so that the next claim's is higher. */
export const unclaimed = `status = 'pending', claimed_by = null, worker_id = null, worker_slot = null,
  lease_expires_at = null, lease_expires_tick = null, lease_boot_id = null`;

export async function freeSlotOf(sql: Sql, row: TaskRow): Promise<void> {
  if (row.worker_slot !== null) await sql.run('update worker_slots set task_id = null where task_id = ?', row.id);
}

async function renewClaim(sql: Sql, row: TaskRow, actor: Actor, clock: Clock): Promise<void> {
  const { lease } = claimantFor(actor, {}, clock);
  if (lease.expiresAt <= (row.lease_expires_at ?? 0)) return;
  await sql.run(
    'update tasks set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ? where id = ?',
    ...leaseValues(lease),
    row.id,
  );
}

/** The same status again: a repeated call whose first answer was lost, or a late addition to the result. */
async function annotate(sql: Sql, row: TaskRow, update: StatusUpdate, change: Change): Promise<void> {
  const isByAnother = row.status === 'completed' && row.claimed_by !== null && update.claimToken !== row.claim_token;
  if (isByAnother && row.claimed_by !== change.actor?.holder) {
    throw new RuntimeError(
      'conflict',
      `Task ${row.id} was already completed by ${row.claimed_by}; nothing was written.`,
      'Call get_task to read its result.',
    );
  }
  if (update.result === undefined && update.error === undefined) return;
  await sql.run(
    'update tasks set result = coalesce(?, result), error = coalesce(?, error), updated_at = ? where id = ?',
    update.result ?? null,
    update.error ?? null,
    change.at,
    row.id,
  );
}

async function reopen(sql: Sql, row: TaskRow, update: StatusUpdate, change: Change): Promise<void> {
  if (row.status === 'completed' || update.status !== 'pending') {
    throw new RuntimeError(
      'conflict',
      `Task ${row.id} is ${row.status} and cannot become ${update.status}.`,
      row.status === 'completed'
        ? 'A completed task is final. Create a new task for further work.'
        : 'Set it to pending first; then it can be claimed again.',
    );
  }
  await reopenTask(sql, row, change);
}

/** Puts a failed or cancelled task back into the line with fresh attempts; its dependents wait for it again. */
export async function reopenTask(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await openGoalForWork(sql, row.goal_id, change);
  await sql.run(
    `update tasks set ${unclaimed}, attempts = 0, stopped_by = null, is_skipped = 0, completed_at = null, updated_at = ?
     where id = ?`,
    change.at,
    row.id,
  );
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'reopened' });
  await reopenDependents(sql, row.id, change);
}
