import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { TaskRow } from './task.js';

/** A task's number, or the key that its maker gave it; a number may also come as text. */
export type TaskReference = number | string;

const allDigits = /^\d+$/;

/** Throws `invalid` for a key that would be taken for an id. */
export function refuseNumericKey(key: string): void {
  if (/\D/.test(key)) return;
  throw new RuntimeError(
    'invalid',
    `The key ${JSON.stringify(key)} has digits only and would be taken for an id.`,
    `Use something like task-${key}.`,
  );
}

/** The row of a reference. Throws `not_found`, saying which kind of id is wanted when another kind was given. */
export async function findTask(sql: Sql, reference: TaskReference): Promise<TaskRow> {
  const row =
    typeof reference === 'number' || allDigits.test(reference)
      ? await sql.get<TaskRow>('select * from tasks where id = ?', Number(reference))
      : await sql.get<TaskRow>('select * from tasks where key = ?', reference);
  if (!row) throw unknownTask(reference);
  return row;
}

/** The ids of references, each once, however often and under whichever name it is given. */
export async function findTaskIds(sql: Sql, references: readonly TaskReference[]): Promise<number[]> {
  const ids = new Set<number>();
  for (const reference of references) ids.add((await findTask(sql, reference)).id);
  return [...ids];
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function unknownTask(reference: TaskReference): RuntimeError {
  if (typeof reference === 'string' && uuid.test(reference)) {
    return new RuntimeError(
      'not_found',
      `${reference} is the id of a background task, not of a task on the board.`,
      'Call check_task_status or get_task_result with it.',
    );
  }
  const what = typeof reference === 'number' || allDigits.test(reference) ? 'id' : 'key';
  return new RuntimeError(
    'not_found',
    `No task has ${what} ${reference}.`,
    'Call list_tasks to see the tasks there are.',
  );
}
