import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import type { GoalRow } from './goal.js';

/** The row of a goal. Throws `not_found`. */
export async function findGoal(sql: Sql, id: number): Promise<GoalRow> {
  const row = await sql.get<GoalRow>('select * from goals where id = ?', id);
  if (!row) throw new RuntimeError('not_found', `No goal has id ${id}.`, 'Call list_goals to see the goals there are.');
  return row;
}

/**
 * A goal is done when something of it was completed and nothing is left to do: no task open, none failed. Cancelled
 * tasks were taken out of it. Resolves to whether it was completed just now.
 */
export async function completeGoalIfDone(sql: Sql, goalId: number | null, change: Change): Promise<boolean> {
  if (goalId === null) return false;
  const changed = await sql.run(
    `update goals set status = 'completed', completed_at = ?, updated_at = ?
     where id = ? and status = 'active'
       and not exists (select 1 from tasks where goal_id = goals.id and status in ('pending', 'in_progress', 'failed'))
       and exists (select 1 from tasks where goal_id = goals.id and status = 'completed')`,
    change.at,
    change.at,
    goalId,
  );
  if (changed > 0) await recordEvent(sql, { ...change, subject: 'goal', subjectId: goalId, type: 'completed' });
  return changed > 0;
}

/** The goal that new or reopened work belongs to, open again if it was completed. Throws `conflict` for a cancelled one. */
export async function openGoalForWork(sql: Sql, goalId: number, change: Change): Promise<GoalRow> {
  const goal = await findGoal(sql, goalId);
  if (goal.status === 'cancelled') {
    throw new RuntimeError(
      'conflict',
      `Goal ${goalId} "${goal.name}" is cancelled and takes no tasks.`,
      `Call update_goal with goal_id ${goalId} and status "active" first, or create another goal.`,
    );
  }
  await reopenGoal(sql, goalId, change);
  return goal;
}

/** A completed goal has something to do again. */
export async function reopenGoal(sql: Sql, goalId: number | null, change: Change): Promise<void> {
  if (goalId === null) return;
  const changed = await sql.run(
    "update goals set status = 'active', completed_at = null, updated_at = ? where id = ? and status = 'completed'",
    change.at,
    goalId,
  );
  if (changed > 0) await recordEvent(sql, { ...change, subject: 'goal', subjectId: goalId, type: 'reopened' });
}
