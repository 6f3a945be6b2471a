import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { type JsonObject, readJson } from '../../base/json.js';
import { insertRow } from '../../store/insert-row.js';
import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';

export const goalStatuses = ['active', 'completed', 'cancelled'] as const;
export type GoalStatus = (typeof goalStatuses)[number];

/** A row of `goals`. The rows are written here, because a goal's status follows those of its tasks. */
export interface GoalRow {
  id: number;
  name: string;
  description: string;
  status: GoalStatus;
  project: string;
  metadata: string;
  created_at: EpochMs;
  updated_at: EpochMs;
  completed_at: EpochMs | null;
}

/** A larger aim, reached by its tasks. */
export interface Goal extends Pick<GoalRow, 'id' | 'name' | 'description' | 'status' | 'project'> {
  metadata: JsonObject;
  createdAt: EpochMs;
  updatedAt: EpochMs;
  completedAt: EpochMs | null;
}

export function toGoal(row: GoalRow): Goal {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    status: row.status,
    project: row.project,
    metadata: readJson<JsonObject>(row.metadata),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    completedAt: row.completed_at,
  };
}

/** The row of a goal. Throws `not_found`. */
export async function findGoal(sql: Sql, id: number): Promise<GoalRow> {
  return foundGoal(id, await sql.get<GoalRow>('select * from goals where id = ?', id));
}

/** The same, locked: none of its tasks ends meanwhile. */
async function lockGoal(sql: Sql, id: number): Promise<GoalRow> {
  return foundGoal(id, await sql.get<GoalRow>('select * from goals where id = ? for update', id));
}

function foundGoal(id: number, row: GoalRow | undefined): GoalRow {
  if (!row) throw new RuntimeError('not_found', `No goal has id ${id}.`, 'Call list_goals to see the goals there are.');
  return row;
}

export function insertGoal(
  sql: Sql,
  { name, description, project, metadata }: Pick<Goal, 'name' | 'description' | 'project' | 'metadata'>,
  at: EpochMs,
): Promise<GoalRow> {
  return insertRow<GoalRow>(sql, 'goals', {
    name,
    description,
    project,
    metadata: JSON.stringify(metadata),
    created_at: at,
    updated_at: at,
  });
}

/** Replaces the texts of a goal. */
export async function describeGoal(
  sql: Sql,
  id: number,
  { name, description, metadata }: Pick<GoalRow, 'name' | 'description' | 'metadata'>,
  at: EpochMs,
): Promise<void> {
  await sql.run(
    'update goals set name = ?, description = ?, metadata = ?, updated_at = ? where id = ?',
    name,
    description,
    metadata,
    at,
    id,
  );
}

/** Sets the status of a goal and records the event. What this means for its tasks is for the caller to see to. */
export async function setGoalStatus(sql: Sql, goalId: number, status: GoalStatus, change: Change): Promise<void> {
  await sql.run(
    'update goals set status = ?, completed_at = ?, updated_at = ? where id = ?',
    status,
    status === 'active' ? null : change.at,
    change.at,
    goalId,
  );
  const type = status === 'active' ? 'reopened' : status;
  await recordEvent(sql, { ...change, subject: 'goal', subjectId: goalId, type });
}

/** The goal that new or reopened work belongs to. Throws `not_found`, and `conflict` for a cancelled goal. */
export async function findGoalForWork(sql: Sql, goalId: number): Promise<GoalRow> {
  const goal = await lockGoal(sql, goalId);
  if (goal.status !== 'cancelled') return goal;
  throw new RuntimeError(
    'conflict',
    `Goal ${goalId} "${goal.name}" is cancelled and takes no tasks.`,
    `Call update_goal with goal_id ${goalId} and status "active" first, or create another goal.`,
  );
}

/** The same, and makes the goal active again if it was completed. */
export async function openGoalForWork(sql: Sql, goalId: number, change: Change): Promise<GoalRow> {
  const goal = await findGoalForWork(sql, goalId);
  await reopenGoal(sql, goalId, change);
  return goal;
}

/** Makes a completed goal active again; any other stays as it is. */
export async function reopenGoal(sql: Sql, goalId: number | null, change: Change): Promise<void> {
  if (goalId === null) return;
  const changed = await sql.run(
    "update goals set status = 'active', completed_at = null, updated_at = ? where id = ? and status = 'completed'",
    change.at,
    goalId,
  );
  if (changed > 0) await recordEvent(sql, { ...change, subject: 'goal', subjectId: goalId, type: 'reopened' });
}

/**
 * Completes an active goal if at least one of its tasks is completed and none is pending, in progress or failed.
 * Cancelled tasks do not count.
 */
export async function completeGoalIfDone(sql: Sql, goalId: number | null, change: Change): Promise<void> {
  if (goalId === null) return;
  // Of two tasks that end at once, the second to come here must see the end of the first.
  const active = await sql.get("select id from goals where id = ? and status = 'active' for update", goalId);
  if (!active) return;
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
}
