import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { Sql, Value } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { addDependencies, refuseCycle, weighDependencies } from './dependencies.js';
import { applyOwnPolicy, reconsiderStopped } from './failure-policy.js';
import type { GoalRow } from './goal.js';
import { completeGoalIfDone, findGoal, openGoalForWork } from './goal-status.js';
import { findTask, findTaskIds, refuseNumericKey, type TaskReference } from './references.js';
import type { FailurePolicy, TaskRow } from './task.js';

/** What may be changed of a task; null takes a value away, absent leaves it. */
export interface TaskEdit {
  title?: string | undefined;
  key?: string | null | undefined;
  description?: string | undefined;
  acceptance?: string | null | undefined;
  priority?: number | undefined;
  goalId?: number | null | undefined;
  /** The whole new list. */
  dependencies?: readonly TaskReference[] | undefined;
  metadata?: JsonObject | undefined;
  deadlineAt?: number | null | undefined;
  notBefore?: number | null | undefined;
  maxAttempts?: number | undefined;
  onDependencyFailure?: FailurePolicy | undefined;
}

/** Changes an open or ended task. Throws `conflict`, `not_found`, `dependency_cycle`; then nothing is changed. */
export async function editTask(sql: Sql, reference: TaskReference, edit: TaskEdit, change: Change): Promise<TaskRow> {
  const row = await findTask(sql, reference);
  if (edit.key !== undefined && edit.key !== null) await refuseForeignKey(sql, row, edit.key);
  const goal = edit.goalId ? await goalToJoin(sql, row, edit.goalId, change) : undefined;

  const columns = columnsOf(edit, goal, change.at);
  await sql.run(
    `update tasks set ${columns.map(([name]) => `${name} = ?`).join(', ')} where id = ?`,
    ...columns.map(([, value]) => value),
    row.id,
  );
  if (edit.dependencies !== undefined) await replaceDependencies(sql, row, edit.dependencies);
  const fields = Object.keys(edit).filter((name) => edit[name as keyof TaskEdit] !== undefined);
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'edited', data: { fields } });
  if (row.stopped_by !== null && edit.onDependencyFailure !== undefined) await reconsiderStopped(sql, row.id, change);
  else if (row.status === 'pending') await weighDependencies(sql, row.id);
  await applyOwnPolicy(sql, row.id, change);
  if (edit.goalId !== undefined) {
    await completeGoalIfDone(sql, row.goal_id, change);
    await completeGoalIfDone(sql, edit.goalId, change);
  }
  return findTask(sql, row.id);
}

/** Only open work opens a goal again. */
function goalToJoin(sql: Sql, { status }: TaskRow, goalId: number, change: Change): Promise<GoalRow> {
  const isOpen = status === 'pending' || status === 'in_progress';
  return isOpen ? openGoalForWork(sql, goalId, change) : findGoal(sql, goalId);
}

function columnsOf(edit: TaskEdit, goal: GoalRow | undefined, now: number): [name: string, value: Value][] {
  const columns: [string, Value | undefined][] = [
    ['title', edit.title],
    ['key', edit.key],
    ['description', edit.description],
    ['acceptance', edit.acceptance],
    ['priority', edit.priority],
    ['goal_id', edit.goalId],
    ['project', goal?.project],
    ['metadata', edit.metadata === undefined ? undefined : JSON.stringify(edit.metadata)],
    ['deadline_at', edit.deadlineAt],
    ['is_overdue', edit.deadlineAt === undefined ? undefined : Number((edit.deadlineAt ?? now + 1) <= now)],
    ['not_before', edit.notBefore],
    ['is_held', edit.notBefore === undefined ? undefined : Number((edit.notBefore ?? 0) > now)],
    ['max_attempts', edit.maxAttempts],
    ['on_dependency_failure', edit.onDependencyFailure],
    ['updated_at', now],
  ];
  return columns.filter((column): column is [string, Value] => column[1] !== undefined);
}

async function refuseForeignKey(sql: Sql, row: TaskRow, key: string): Promise<void> {
  refuseNumericKey(key);
  const owner = await sql.get<{ id: number }>('select id from tasks where key = ?', key);
  if (owner && owner.id !== row.id) {
    throw new RuntimeError('conflict', `The key ${key} belongs to task ${owner.id}.`, 'Choose another key.');
  }
}

async function replaceDependencies(sql: Sql, row: TaskRow, references: readonly TaskReference[]): Promise<void> {
  if (row.status !== 'pending') {
    throw new RuntimeError(
      'conflict',
      `Task ${row.id} is ${row.status}; only a pending task can be made to wait for others.`,
      'Release it or set it to pending first.',
    );
  }
  const ids = await findTaskIds(sql, references);
  await refuseCycle(sql, row.id, ids);
  await sql.run('delete from task_dependencies where task_id = ?', row.id);
  await addDependencies(sql, row.id, ids);
}
