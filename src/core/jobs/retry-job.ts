import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { dollars, type Micros, usdOf } from '../../base/money.js';
import type { Sql } from '../../store/sql.js';
import { setBudget, setMoneyBudget, spend } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { reclaimTask } from './board-task.js';
import { dependencyFailed } from './dependents.js';
import { hasEnded, type JobRow, runGoal } from './job.js';
import { laneOf } from './lane.js';
import { queueAt } from './queue-order.js';
import { findJob } from './read-jobs.js';
import { requireUnique } from './unique-key.js';

/** What a retry changes of a job; what is left out stays. */
export interface RetryOptions {
  payload?: string | undefined;
  requires?: string | null | undefined;
  requestedModel?: string | undefined;
  /** The new most of tokens over all tries, those already made included. */
  tokenBudget?: number | undefined;
  /** The new most of money over all tries, those already made included. */
  budgetMicros?: Micros | undefined;
}

/**
 * Puts a failed, cancelled or dead job back into the queue with fresh tries and claims its board task again. Jobs that
 * were cancelled because of it return to the queue too. Throws `not_found`; `conflict` for a job that has completed or is
 * still open, for a run, and for one whose dependency did not complete or whose unique key is taken; and as `reclaimTask` does.
 */
export async function retryJob(
  sql: Sql,
  id: string,
  options: RetryOptions,
  change: Change,
  clock: Clock,
): Promise<JobRow> {
  const row = await findJob(sql, id);
  if (row.type === runGoal) {
    throw new RuntimeError(
      'conflict',
      `Job ${id} is a run of goal ${row.goal_id}, which is not repeated as it was.`,
      `Call run_goal with goal_id ${row.goal_id}: it works on what is left.`,
    );
  }
  if (row.status === 'completed' || !hasEnded(row.status)) {
    throw new RuntimeError(
      'conflict',
      `Job ${id} is ${row.status}; only a failed or cancelled one can be retried.`,
      row.status === 'completed' ? 'Submit a new one.' : 'Call wait_for_tasks to wait for it, or cancel_task first.',
    );
  }
  const failed = await failedDependencyOf(sql, id);
  if (failed !== undefined) {
    throw new RuntimeError(
      'conflict',
      `Job ${id} waits for job ${failed}, which did not complete.`,
      `Call retry_task with ${failed}; this one then runs after it by itself.`,
    );
  }
  await requireUnique(sql, row);
  if (options.tokenBudget !== undefined || options.budgetMicros !== undefined) {
    await changeBudgets(sql, row, options, change);
  }
  await reclaimTask(sql, row, change, clock);
  await requeueFresh(sql, row, options, change);
  await reviveDependents(sql, row, change, clock);
  return findJob(sql, id);
}

async function changeBudgets(
  sql: Sql,
  row: JobRow,
  { tokenBudget: cap, budgetMicros: moneyCap }: RetryOptions,
  { at }: Change,
): Promise<void> {
  const used = row.input_tokens + row.output_tokens;
  if (cap !== undefined && cap <= used) {
    throw new RuntimeError(
      'invalid',
      `A token_budget of ${cap} leaves job ${row.id} nothing: its tries have used ${used} tokens.`,
      `Pass more than ${used}: the budget covers all tries.`,
    );
  }
  if (moneyCap !== undefined && moneyCap <= row.cost_micros) {
    throw new RuntimeError(
      'invalid',
      `A budget_usd of ${usdOf(moneyCap)} leaves job ${row.id} nothing: its tries have cost ${dollars(row.cost_micros)}.`,
      'Pass more than that: the budget covers all tries.',
    );
  }
  const account = `job:${row.id}`;
  if (cap !== undefined) await setBudget(sql, account, cap, at);
  if (moneyCap !== undefined) await setMoneyBudget(sql, account, moneyCap, at);
  // A job without a budget was not counted until now.
  if (row.token_budget === null && row.budget_micros === null) {
    await spend(sql, account, used, at, { micros: row.cost_micros, unpriced: row.unpriced_calls });
  }
  await sql.run(
    'update jobs set token_budget = ?, budget_micros = ? where seq = ?',
    cap ?? row.token_budget,
    moneyCap ?? row.budget_micros,
    row.seq,
  );
}

async function failedDependencyOf(sql: Sql, id: string): Promise<string | undefined> {
  const failed = await sql.get<{ id: string }>(
    `select j.id from job_dependencies d join jobs j on j.id = d.depends_on
     where d.job_id = ? and d.is_satisfied = 0 and j.status in ('failed', 'cancelled') limit 1`,
    id,
  );
  return failed?.id;
}

async function requeueFresh(sql: Sql, row: JobRow, options: RetryOptions, change: Change): Promise<void> {
  const requires = options.requires === undefined ? row.requires : options.requires;
  await sql.run(
    `update jobs set status = 'pending', payload = ?, requires = ?, lane = ?, requested_model = ?, queue_at = ?, run_at = ?, run_tick = 0, run_boot_id = null, blocked_by = null, tries = 0, crashes = 0,
       is_dead = 0, cancel_requested_at = null, progress = null, progress_message = null, read_at = null, result = null, verdict = null,
       error_code = null, error_message = null, completed_at = null, updated_at = ? where seq = ?`,
    options.payload ?? row.payload,
    requires,
    laneOf(row.type, requires),
    options.requestedModel ?? row.requested_model,
    queueAt(row.priority, change.at),
    change.at,
    change.at,
    row.seq,
  );
  await recordEvent(sql, { ...change, subject: 'job', subjectId: row.id, type: 'requeued' });
}

/** A dependent that has another failed dependency stays cancelled until that one is retried too. */
async function reviveDependents(sql: Sql, job: JobRow, change: Change, clock: Clock): Promise<void> {
  const revived = [job.id];
  for (let id = revived.pop(); id !== undefined; id = revived.pop()) {
    const dependents = await sql.all<JobRow>(
      `select j.* from job_dependencies d join jobs j on j.id = d.job_id
       where d.depends_on = ? and j.status = 'cancelled' and j.error_code = ?`,
      id,
      dependencyFailed,
    );
    for (const dependent of dependents) {
      if ((await failedDependencyOf(sql, dependent.id)) !== undefined) continue;
      if (!(await tryReclaim(sql, dependent, change, clock))) continue;
      await requeueFresh(sql, dependent, {}, change);
      revived.push(dependent.id);
    }
  }
}

/** Claims the board task of a revived job again. Resolves to false when that, or its unique key, has been taken meanwhile. */
async function tryReclaim(sql: Sql, job: JobRow, change: Change, clock: Clock): Promise<boolean> {
  try {
    await requireUnique(sql, job);
    await reclaimTask(sql, job, change, clock);
    return true;
  } catch (error) {
    if (error instanceof RuntimeError) return false;
    throw error;
  }
}
