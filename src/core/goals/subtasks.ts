import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { requireClaim } from '../tasks/claim-proof.js';
import { replaceDependencies } from '../tasks/dependencies.js';
import { reviewPending } from '../tasks/dependents.js';
import { readDependencyIds } from '../tasks/list-tasks.js';
import { findTask, type TaskReference, type TaskRow } from '../tasks/task.js';
import { releaseClaim } from '../tasks/transitions.js';
import { applyPlan, type PlannedTask, type Strategy } from './plan.js';

export interface SubtaskPlan {
  task: TaskReference;
  strategy: Strategy;
  tasks: readonly PlannedTask[];
  /** For a task that is in progress: only the one who holds it may break it down. */
  claimToken?: number | undefined;
}

/**
 * Breaks a task into parts, all or none. The task waits for its parts and is done when they are; a claim on it is
 * released. The first parts wait for what it waited for itself, and all have its failure policy. Resolves to the rows of
 * the parts. Throws `not_found`, `conflict` for an ended task, `already_claimed`, `stale_claim`, `invalid`,
 * `dependency_cycle`; then nothing is changed.
 */
export async function decomposeTask(sql: Sql, plan: SubtaskPlan, actor: Actor, clock: Clock): Promise<TaskRow[]> {
  const change: Change = { at: clock.now(), actor };
  const whole = await findTask(sql, plan.task, actor.project);
  if (whole.status === 'in_progress') {
    requireClaim(whole, { actor, claimToken: plan.claimToken }, clock);
    await releaseClaim(sql, whole, change);
  } else if (whole.status !== 'pending') {
    throw new RuntimeError(
      'conflict',
      `Task ${whole.id} "${whole.title}" is ${whole.status} and cannot be broken down.`,
      'Set it to pending with update_task_status first.',
    );
  }
  const before = await readDependencyIds(sql, whole.id);
  const parts = await applyPlan(sql, { ...plan, whole: { ...whole, dependencies: before } }, change);
  await replaceDependencies(sql, whole.id, [...before, ...parts.map(({ id }) => id)]);
  const data = { subtasks: parts.map(({ id }) => id) };
  await recordEvent(sql, { ...change, subject: 'task', subjectId: whole.id, type: 'decomposed', data });
  await reviewPending(sql, whole.id, change);
  return parts;
}
