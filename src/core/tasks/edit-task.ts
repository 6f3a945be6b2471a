import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql, Value } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { isHeldAt, isOverdueAt, type TaskField } from './create-tasks.js';
import { replaceDependencies } from './dependencies.js';
import { reviewEdited } from './dependents.js';
import { completeGoalIfDone, findGoal, type GoalRow, openGoalForWork } from './goal.js';
import { findTask, findTaskIds, refuseUsedKey, type Task, type TaskReference, type TaskRow, taskName } from './task.js';

type OptionalFields = { [Name in TaskField | 'expectedOutput']?: Task[Name] | undefined };

/** What to change of a task: null removes a value, an absent field stays as it is. */
export interface TaskEdit extends OptionalFields {
  /** The whole new list. */
  dependencies?: readonly TaskReference[] | undefined;
}

/** Changes an open or ended task. Throws `conflict`, `not_found`, `dependency_cycle`; then nothing is changed. */
export async function editTask(sql: Sql, reference: TaskReference, edit: TaskEdit, change: Change): Promise<TaskRow> {
  const row = await findTask(sql, reference, change.actor?.project ?? '');
  const goal = edit.goalId ? await goalToJoin(sql, row, edit.goalId, change) : undefined;
  // It takes its key along into the project of its new goal.
  const key = edit.key === undefined ? row.key : edit.key;
  const project = goal?.project ?? row.project;
  if (key !== null) await refuseUsedKey(sql, key, project, row.id);

  const columns = columnsOf(edit, goal, change.at);
  await sql.run(
    `update tasks set ${columns.map(([name]) => `${name} = ?`).join(', ')} where id = ?`,
    ...columns.map(([, value]) => value),
    row.id,
  );
  if (edit.dependencies !== undefined) {
    refuseStarted(row);
    await replaceDependencies(sql, row.id, await findTaskIds(sql, edit.dependencies, project));
  }
  const fields = Object.keys(edit).filter((name) => edit[name as keyof TaskEdit] !== undefined);
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'edited', data: { fields } });
  await reviewEdited(sql, row, edit.onDependencyFailure !== undefined, change);
  if (edit.goalId !== undefined) {
    await completeGoalIfDone(sql, row.goal_id, change);
    await completeGoalIfDone(sql, edit.goalId, change);
  }
  return findTask(sql, row.id);
}

/** Only open work makes a completed goal active again. */
function goalToJoin(sql: Sql, { status }: TaskRow, goalId: number, change: Change): Promise<GoalRow> {
  const isOpen = status === 'pending' || status === 'in_progress';
  return isOpen ? openGoalForWork(sql, goalId, change) : findGoal(sql, goalId);
}

function columnsOf(edit: TaskEdit, goal: GoalRow | undefined, now: EpochMs): [name: string, value: Value][] {
  const columns: [string, Value | undefined][] = [
    ['title', edit.title],
    ['key', edit.key],
    ['description', edit.description],
    ['acceptance', edit.acceptance],
    ['expected_output', edit.expectedOutput],
    ['priority', edit.priority],
    ['goal_id', edit.goalId],
    ['project', goal?.project],
    ['metadata', edit.metadata === undefined ? undefined : JSON.stringify(edit.metadata)],
    ['deadline_at', edit.deadlineAt],
    ['is_overdue', edit.deadlineAt === undefined ? undefined : isOverdueAt(edit.deadlineAt, now)],
    ['not_before', edit.notBefore],
    ['is_held', edit.notBefore === undefined ? undefined : isHeldAt(edit.notBefore, now)],
    ['max_attempts', edit.maxAttempts],
    ['on_dependency_failure', edit.onDependencyFailure],
    ['updated_at', now],
  ];
  return columns.filter((column): column is [string, Value] => column[1] !== undefined);
}

function refuseStarted(row: TaskRow): void {
  if (row.status === 'pending') return;
  throw new RuntimeError(
    'conflict',
    `Task ${taskName(row)} is ${row.status}; only a pending task can be made to wait for others.`,
    'Release it or set it to pending first.',
  );
}
