import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import { spend } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { satisfyDependents, weighDependencies } from './dependencies.js';
import { applyOwnPolicy, failDependents, reopenDependents } from './failure-policy.js';
import { completeGoalIfDone, openGoalForWork } from './goal-status.js';
import type { TaskRow } from './task.js';

export type EndStatus = 'completed' | 'failed' | 'cancelled';

/** What came of work on a task. Absent ones leave what is stored. */
export interface TaskOutcome {
  result?: string | undefined;
  error?: string | undefined;
  /** Added to the task's and to its goal's tokens. */
  tokensUsed?: number | undefined;
}

/** Ends a task, and tells those that wait for it. */
export async function finishTask(
  sql: Sql,
  row: TaskRow,
  status: EndStatus,
  outcome: TaskOutcome,
  change: Change,
): Promise<void> {
  await endTask(sql, row, status, outcome, change);
  if (status === 'completed') await satisfyDependents(sql, row.id);
  else await failDependents(sql, row.id, change);
  await completeGoalIfDone(sql, row.goal_id, change);
}

/** The row's part of an end: whoever uses it alone must tell the dependents and the goal. */
export async function endTask(
  sql: Sql,
  row: TaskRow,
  status: EndStatus,
  outcome: TaskOutcome,
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
  await spendOnGoal(sql, row, outcome, change);
}

/** Keeps what was reported of a task whose status stays open. */
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

/** Gives a claimed task back unfinished; the attempt does not count. */
export async function releaseClaim(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await rejoin(sql, row, row.attempts - 1, change);
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'released' });
  await applyOwnPolicy(sql, row.id, change);
}

/** Ends a claim whose holder is gone: the task is ready again with its attempt counted, or failed if that was its last. */
export async function takeBack(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  const holder = await recordLapse(sql, row, change);
  if (row.attempts >= row.max_attempts) {
    const error = `Attempt ${row.attempts} of ${row.max_attempts} ended without a word from ${holder}.`;
    await finishTask(sql, row, 'failed', { error }, change);
    return;
  }
  await rejoin(sql, row, row.attempts, change);
  await applyOwnPolicy(sql, row.id, change);
}

/** Puts a task of a holder that is gone back into the line, whatever its attempts: someone has decided so. */
export async function resetAbandoned(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await recordLapse(sql, row, change);
  await rejoin(sql, row, 0, change);
  await applyOwnPolicy(sql, row.id, change);
}

async function recordLapse(sql: Sql, row: TaskRow, change: Change): Promise<string> {
  const holder = row.worker_id === null ? `${row.claimed_by}` : `${row.claimed_by} (worker ${row.worker_id})`;
  const data = { claim_token: row.claim_token, held_by: holder, attempt: row.attempts };
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'lapsed', data });
  return holder;
}

/**
 * Puts a failed or cancelled task back into the line with fresh attempts; its dependents wait for it again.
 * Throws `conflict` when its own policy would stop it again at once, and for a task of a cancelled goal.
 */
export async function reopenTask(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  if (row.goal_id !== null) await openGoalForWork(sql, row.goal_id, change);
  await sql.run(
    `update tasks set stopped_by = null, is_skipped = 0, error = case when stopped_by is null then error end,
       completed_at = null where id = ?`,
    row.id,
  );
  await rejoin(sql, row, 0, change);
  await refuseStopped(sql, row);
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'reopened' });
  await reopenDependents(sql, row.id, change);
}

async function refuseStopped(sql: Sql, row: TaskRow): Promise<void> {
  if (row.on_dependency_failure === 'block' || row.on_dependency_failure === 'run') return;
  const cause = await sql.get<{ id: number; status: string }>(
    `select t.id, t.status from task_dependencies d join tasks t on t.id = d.depends_on
     where d.task_id = ? and d.state = 'failed' order by t.id limit 1`,
    row.id,
  );
  if (!cause) return;
  throw new RuntimeError(
    'conflict',
    `Task ${row.id} cannot be opened again: task ${cause.id} that it depends on is ${cause.status}, and ` +
      `on_dependency_failure is ${row.on_dependency_failure}.`,
    `Set task ${cause.id} to pending and this one comes back with it, or edit_task on_dependency_failure to "run" first.`,
  );
}

/** Back into the line; the token stays, so that the next claim's is higher. */
async function rejoin(sql: Sql, row: TaskRow, attempts: number, change: Change): Promise<void> {
  await sql.run(
    `update tasks set status = 'pending', attempts = ?, claimed_by = null, worker_id = null, worker_slot = null,
       lease_expires_at = null, lease_expires_tick = null, lease_boot_id = null, updated_at = ? where id = ?`,
    attempts,
    change.at,
    row.id,
  );
  await freeSlotOf(sql, row);
  // What it depends on may have been reopened while it was under way.
  await weighDependencies(sql, row.id);
}

async function freeSlotOf(sql: Sql, row: TaskRow): Promise<void> {
  if (row.worker_slot !== null) await sql.run('update worker_slots set task_id = null where task_id = ?', row.id);
}
