import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { Sql, Value } from '../../store/sql.js';
import { recordEvent } from '../events/events.js';
import { completeGoalIfDone, openGoalForWork } from '../goals/completion.js';
import { addDependencies, type Change, refuseCycle } from './dependencies.js';
import { findTask, isKey, type TaskReference } from './references.js';
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
  if (edit.goalId !== undefined) await openGoalForWork(sql, edit.goalId, change);

  const columns = columnsOf(edit, change.at);
  if (columns.length > 0) {
    await sql.run(
      `update tasks set ${columns.map(([name]) => `${name} = ?`).join(', ')}, updated_at = ? where id = ?`,
      ...columns.map(([, value]) => value),
      change.at,
      row.id,
    );
  }
  if (edit.dependencies !== undefined) await replaceDependencies(sql, row, edit.dependencies);
  await recordEvent(sql, {
    ...change,
    subject: 'task',
    subjectId: row.id,
    type: 'edited',
    data: { fields: Object.keys(edit).filter((name) => edit[name as keyof TaskEdit] !== undefined) },
  });
  if (edit.goalId !== undefined) await completeGoalIfDone(sql, row.goal_id, change);
  return findTask(sql, row.id);
}

function columnsOf(edit: TaskEdit, now: number): [name: string, value: Value][] {
  const columns: [string, Value | undefined][] = [
    ['title', edit.title],
    ['key', edit.key],
    ['description', edit.description],
    ['acceptance', edit.acceptance],
    ['priority', edit.priority],
    ['goal_id', edit.goalId],
    ['metadata', edit.metadata === undefined ? undefined : JSON.stringify(edit.metadata)],
    ['deadline_at', edit.deadlineAt],
    ['is_overdue', edit.deadlineAt === undefined ? undefined : Number((edit.deadlineAt ?? now + 1) <= now)],
    ['not_before', edit.notBefore],
    ['is_held', edit.notBefore === undefined ? undefined : Number((edit.notBefore ?? 0) > now)],
    ['max_attempts', edit.maxAttempts],
    ['on_dependency_failure', edit.onDependencyFailure],
  ];
  return columns.filter((column): column is [string, Value] => column[1] !== undefined);
}

async function refuseForeignKey(sql: Sql, row: TaskRow, key: string): Promise<void> {
  if (!isKey(key))
    throw new RuntimeError(
      'invalid',
      `The key ${key} has digits only and would be taken for an id.`,
      `Use something like task-${key}.`,
    );
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
  const ids = new Set<number>();
  for (const reference of references) ids.add((await findTask(sql, reference)).id);
  await refuseCycle(sql, row.id, [...ids]);
  await sql.run('delete from task_dependencies where task_id = ?', row.id);
  await sql.run('update tasks set unfinished_dependencies = 0, failed_dependencies = 0 where id = ?', row.id);
  const { on_dependency_failure } = await findTask(sql, row.id);
  await addDependencies(sql, row.id, on_dependency_failure, [...ids]);
}
