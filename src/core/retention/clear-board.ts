import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { detachAllTasks } from '../jobs/board-task.js';
import { deleteAllTasks } from '../tasks/delete-tasks.js';
import { deleteAllSlots } from '../worker-slot.js';

/** Deletes every task and frees every worker slot; goals and events stay. Resolves to the number of tasks. */
export async function clearBoard(sql: Sql, change: Change): Promise<number> {
  await deleteAllSlots(sql);
  await detachAllTasks(sql);
  const tasks = await deleteAllTasks(sql);
  await recordEvent(sql, { ...change, subject: 'runtime', subjectId: 'board', type: 'cleared', data: { tasks } });
  return tasks;
}
