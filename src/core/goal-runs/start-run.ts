import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { exhausted, readBudget, setBudget } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { progressOf } from '../goals/goals.js';
import { findLiveRun, insertRun } from '../jobs/goal-run.js';
import { type JobRow, runGoal } from '../jobs/job.js';
import { findJob } from '../jobs/read-jobs.js';
import type { GoalRow } from '../tasks/goal.js';
import { findGoal } from '../tasks/goal.js';
import { type AdvanceNeeds, advanceRun } from './advance-run.js';

export interface NewRun {
  goalId: number;
  model: string;
  /** The provider that a runner of its jobs must have. */
  requires: string;
  concurrency: number;
  /** Most tokens of the goal over all its runs; absent leaves what it has. */
  tokenBudget?: number | undefined;
  warnings: readonly string[];
}

/**
 * Begins a run of a goal and hands its first tasks over; a goal that is being run already has that run returned. Throws
 * `not_found`, `conflict` when there is nothing to run, `budget_exhausted`; then nothing was stored.
 */
export async function startRun(
  sql: Sql,
  wish: NewRun,
  actor: Actor,
  needs: AdvanceNeeds,
): Promise<{ row: JobRow; isRepeated: boolean }> {
  const change: Change = { at: needs.clock.now(), actor };
  const goal = await findGoal(sql, wish.goalId);
  const live = await findLiveRun(sql, goal.id);
  if (live) refuseEnding(live, goal);
  else await refuseNothingToDo(sql, goal);
  await limitTokens(sql, goal, wish, change);
  if (live) return { row: live, isRepeated: true };
  await refuseSpent(sql, goal);

  const run = await insertRun(
    sql,
    {
      payload: { goal_id: goal.id, model: wish.model, concurrency: wish.concurrency },
      requires: wish.requires,
      tokenBudget: wish.tokenBudget,
      warnings: wish.warnings,
      project: goal.project,
    },
    change,
  );
  const data = { type: runGoal, goal_id: goal.id };
  await recordEvent(sql, { ...change, subject: 'job', subjectId: run.id, type: 'started', data });
  await recordEvent(sql, {
    ...change,
    subject: 'goal',
    subjectId: goal.id,
    type: 'run_started',
    data: { run_id: run.id },
  });
  await advanceRun(sql, run, change, needs);
  return { row: await findJob(sql, run.id), isRepeated: false };
}

function refuseEnding(run: JobRow, goal: GoalRow): void {
  if (run.cancel_requested_at === null) return;
  throw new RuntimeError(
    'conflict',
    `Run ${run.id} of goal ${goal.id} is being cancelled, and jobs of it have not ended yet.`,
    'Call wait_for_tasks with its id, then run_goal again.',
  );
}

async function refuseNothingToDo(sql: Sql, goal: GoalRow): Promise<void> {
  if (goal.status !== 'active') {
    throw new RuntimeError(
      'conflict',
      `Goal ${goal.id} "${goal.name}" is ${goal.status}.`,
      goal.status === 'completed'
        ? 'There is nothing left to do. create_task with its goal_id opens it again.'
        : 'Set it to active with update_goal first.',
    );
  }
  const { total, cancelled } = await progressOf(sql, goal.id);
  if (total > cancelled) return;
  throw new RuntimeError(
    'conflict',
    `Goal ${goal.id} "${goal.name}" has no tasks to run${total > 0 ? `: all ${total} are cancelled` : ''}.`,
    'Call decompose_goal first, or create_task with its goal_id.',
  );
}

async function limitTokens(sql: Sql, goal: GoalRow, { tokenBudget }: NewRun, change: Change): Promise<void> {
  if (tokenBudget === undefined) return;
  await setBudget(sql, `goal:${goal.id}`, tokenBudget, change.at);
  const data = { fields: ['tokenBudget'] };
  await recordEvent(sql, { ...change, subject: 'goal', subjectId: goal.id, type: 'edited', data });
}

async function refuseSpent(sql: Sql, goal: GoalRow): Promise<void> {
  const budget = await readBudget(sql, `goal:${goal.id}`);
  if (budget.cap !== null && budget.spent >= budget.cap) throw exhausted(budget, 1);
}
