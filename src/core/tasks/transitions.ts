import type { Clock } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { spend } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { clockValues, leaseHasLapsed } from '../lease.js';
import { releasePathsOfTask } from '../path-reservation.js';
import { detachTask } from '../worker-slot.js';
import {
  failDependents,
  propagateEnd,
  propagateReopening,
  refuseStoppedByPolicy,
  reviewPending,
  wouldBeStopped,
} from './dependents.js';
import { findGoalForWork, type GoalRow, reopenGoal } from './goal.js';
import type { TaskRow } from './task.js';

/*
 * The moves of a task from one status to another, by whoever may make them (`update-status.ts` checks that for callers
 * of the board). Each one writes the task's row, records the event, and hands over to `dependents.ts`.
 */

export type EndStatus = 'completed' | 'failed' | 'cancelled';

/** What a worker reports of a task. A field that is absent leaves what is stored. */
export interface TaskOutcome {
  result?: string | undefined;
  error?: string | undefined;
  /** Added to the tokens of the task and of its goal. */
  tokensUsed?: number | undefined;
}

/** Ends a task. Dependents go on or apply their policies, and the goal is completed if that was its last open task. */
export async function finishTask(
  sql: Sql,
  row: TaskRow,
  status: EndStatus,
  outcome: TaskOutcome,
  change: Change,
): Promise<void> {
  await endTask(sql, row, status, outcome, change);
  if (status === 'cancelled') await cancelParts(sql, row, change);
  const hadDependents = await propagateEnd(sql, row, status, change);
  // A whole depends on its parts.
  if (status === 'completed' && hadDependents) await completeWholes(sql, row, change);
}

/** Completes the tasks that waited only for their parts, and for this one last; one with criteria is left to a worker. */
async function completeWholes(sql: Sql, { id }: TaskRow, change: Change): Promise<void> {
  const wholes = await sql.all<TaskRow>(
    `select t.* from task_dependencies d join tasks t on t.id = d.task_id
     where d.depends_on = ? and t.status = 'pending' and t.unfinished_dependencies = 0 and t.acceptance is null
       and exists (select 1 from tasks part where part.parent_id = t.id)`,
    id,
  );
  if (wholes.length > 0) await sql.alone();
  for (const whole of wholes) {
    const parts = await sql.all<{ id: number; title: string }>(
      "select id, title from tasks where parent_id = ? and status = 'completed' order by id",
      whole.id,
    );
    const result = `Done by its subtasks: ${parts.map((part) => `${part.id} "${part.title}"`).join(', ')}.`;
    await finishTask(sql, whole, 'completed', { result }, change);
  }
}

/** Cancels the open parts of a task, and theirs. All of them end before any policy applies, so that none is skipped instead. */
async function cancelParts(sql: Sql, { id }: TaskRow, change: Change): Promise<void> {
  const open = await sql.all<TaskRow>(
    `with recursive parts (id) as (
       select id from tasks where parent_id = ?
       union select t.id from tasks t join parts p on t.parent_id = p.id
     ) select t.* from tasks t join parts using (id) where t.status in ('pending', 'in_progress') order by t.id`,
    id,
  );
  const error = `Task ${id}, which it is part of, was cancelled.`;
  for (const row of open) await endTask(sql, row, 'cancelled', { error }, change);
  for (const row of open) await failDependents(sql, row.id, change);
}

/**
 * Cancels the open tasks of a goal that has been cancelled. All of them end before any policy applies, so that none is
 * skipped instead; then the tasks of other goals that depend on them apply theirs.
 */
export async function cancelTasksOfGoal(sql: Sql, goalId: number, change: Change): Promise<void> {
  const open = await sql.all<TaskRow>(
    "select * from tasks where goal_id = ? and status in ('pending', 'in_progress') order by id",
    goalId,
  );
  for (const row of open) await endTask(sql, row, 'cancelled', { error: cancelledWith(goalId) }, change);
  for (const row of open) await failDependents(sql, row.id, change);
}

const cancelledWith = (goalId: number): string => `Goal ${goalId} was cancelled.`;

/**
 * Opens the tasks again that were cancelled with their goal, which is active again; those that somebody had worked on
 * are on the board again. Those that their policy would stop stay as they are. Resolves to how many are open.
 */
export async function reopenTasksOfGoal(sql: Sql, { id, completed_at }: GoalRow, change: Change): Promise<number> {
  let left = await sql.all<TaskRow>(
    "select * from tasks where goal_id = ? and status = 'cancelled' and completed_at = ? and error = ? order by id",
    id,
    completed_at,
    cancelledWith(id),
  );
  const found = left.length;
  // What waits for another that is cancelled too can be opened only after it.
  for (let before = found + 1; left.length > 0 && left.length < before; ) {
    before = left.length;
    const stopped: TaskRow[] = [];
    for (const row of left) {
      if (await wouldBeStopped(sql, row)) stopped.push(row);
      else await reopenTask(sql, { ...row, stopped_by: null }, change);
    }
    left = stopped;
  }
  await sql.run(
    "update tasks set error = null where goal_id = ? and status = 'pending' and error = ?",
    id,
    cancelledWith(id),
  );
  return found - left.length;
}

async function endTask(sql: Sql, row: TaskRow, status: EndStatus, outcome: TaskOutcome, change: Change): Promise<void> {
  await sql.send(
    `update tasks set status = ?, result = coalesce(?, result),
       error = case when ? = 'completed' then ? else coalesce(?, error) end, tokens_used = tokens_used + ?, started_at = coalesce(started_at, ?), completed_at = ?, updated_at = ?,
       worker_slot = null, lease_expires_at = null, lease_expires_tick = null, lease_boot_id = null
     where id = ?`,
    status,
    outcome.result ?? null,
    // The error of an earlier attempt says nothing about one that has completed.
    status,
    outcome.error ?? null,
    outcome.error ?? null,
    outcome.tokensUsed ?? 0,
    status === 'cancelled' ? null : change.at,
    change.at,
    change.at,
    row.id,
  );
  if (row.worker_slot !== null) await detachTask(sql, row.id);
  await releasePathsOfTask(sql, row.id);
  const data = { claim_token: row.claim_token, ...(outcome.error === undefined ? {} : { error: outcome.error }) };
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: status, data });
  await spendOnGoal(sql, row, outcome, change);
}

/** Stores what was reported of a task whose status does not change. */
export async function recordOutcome(sql: Sql, row: TaskRow, outcome: TaskOutcome, change: Change): Promise<void> {
  const { result, error, tokensUsed } = outcome;
  if (result === undefined && error === undefined && !tokensUsed) return;
  await sql.run(
    `update tasks set result = coalesce(?, result), error = coalesce(?, error), tokens_used = tokens_used + ?,
       updated_at = ? where id = ?`,
    result ?? null,
    error ?? null,
    tokensUsed ?? 0,
    change.at,
    row.id,
  );
  await spendOnGoal(sql, row, outcome, change);
}

async function spendOnGoal(sql: Sql, row: TaskRow, { tokensUsed }: TaskOutcome, change: Change): Promise<void> {
  if (row.goal_id !== null && tokensUsed) await spend(sql, `goal:${row.goal_id}`, tokensUsed, change.at);
}

/** Returns a claimed task to the board unfinished; the attempt does not count. */
export async function releaseClaim(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await requeue(sql, row, row.attempts - 1, change);
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'released' });
  await reviewPending(sql, row.id, change);
}

/** Reclaims every task whose lease has expired. Resolves to the ids. Safe to run at any time, by any process. */
export async function lapseClaims(sql: Sql, clock: Clock): Promise<number[]> {
  const rows = await sql.all<TaskRow>(
    `select * from tasks where status = 'in_progress' and ${leaseHasLapsed}`,
    ...clockValues(clock),
  );
  if (rows.length > 0) await sql.alone();
  for (const row of rows) await reclaim(sql, row, { at: clock.now() });
  return rows.map((row) => row.id);
}

/** Ends a lapsed claim. The attempt counts: the task is ready again, or failed if that was its last attempt. */
export async function reclaim(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await sql.alone();
  const holder = await recordLapse(sql, row, change);
  if (row.attempts >= row.max_attempts) {
    const error = `Attempt ${row.attempts} of ${row.max_attempts} ended without a report from ${holder}.`;
    return finishTask(sql, row, 'failed', { error }, change);
  }
  await requeue(sql, row, row.attempts, change);
  await reviewPending(sql, row.id, change);
}

/** Ends the claim of a dead worker because someone asked for it: the task is ready again with all of its attempts. */
export async function resetAbandoned(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await recordLapse(sql, row, change);
  await requeue(sql, row, 0, change);
  await reviewPending(sql, row.id, change);
}

async function recordLapse(sql: Sql, row: TaskRow, change: Change): Promise<string> {
  const holder = row.worker_id === null ? `${row.claimed_by}` : `${row.claimed_by} (worker ${row.worker_id})`;
  const data = { claim_token: row.claim_token, held_by: holder, attempt: row.attempts };
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'lapsed', data });
  return holder;
}

/**
 * Makes an ended task pending again with all of its attempts; those of its dependents that have not been started wait for
 * it again. Throws
 * `conflict`, before it writes anything, for a task of a cancelled goal and for one that its policy would stop again.
 */
export async function reopenTask(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  if (row.goal_id !== null) await findGoalForWork(sql, row.goal_id);
  await refuseStoppedByPolicy(sql, row);
  await reopenGoal(sql, row.goal_id, change);
  await sql.run(
    `update tasks set stopped_by = null, is_skipped = 0, error = case when stopped_by is null then error end,
       verdict = null, completed_at = null where id = ?`,
    row.id,
  );
  await requeue(sql, row, 0, change);
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'reopened' });
  await propagateReopening(sql, row.id, change);
  await reopenWhole(sql, row, change);
}

/** A completed task is open again as soon as one of its parts is. */
async function reopenWhole(sql: Sql, { parent_id }: TaskRow, change: Change): Promise<void> {
  const whole = await sql.get<TaskRow>("select * from tasks where id = ? and status = 'completed'", parent_id);
  if (whole) await reopenTask(sql, whole, change);
}

/** Makes a task pending. Its claim token stays, so that the next claim has a higher one. */
async function requeue(sql: Sql, row: TaskRow, attempts: number, change: Change): Promise<void> {
  await sql.run(
    `update tasks set status = 'pending', attempts = ?, claimed_by = null, worker_id = null, worker_slot = null,
       lease_expires_at = null, lease_expires_tick = null, lease_boot_id = null, updated_at = ? where id = ?`,
    attempts,
    change.at,
    row.id,
  );
  if (row.worker_slot !== null) await detachTask(sql, row.id);
  await releasePathsOfTask(sql, row.id);
}
