import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { findTask, type TaskReference } from './task.js';

/** Adds a note to the history of a task, whoever has claimed it. Throws `not_found`. Resolves to the task's id. */
export async function addNote(sql: Sql, reference: TaskReference, note: string, change: Change): Promise<number> {
  const { id } = await findTask(sql, reference, change.actor?.project ?? '');
  await recordEvent(sql, { ...change, subject: 'task', subjectId: id, type: 'note', data: { note } });
  return id;
}
