import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { progressOf } from '../goals/goals.js';
import { notifyDependents } from '../jobs/finish-job.js';
import { writeRunEnd } from '../jobs/goal-run.js';
import type { JobRow } from '../jobs/job.js';
import type { JobEnded } from '../jobs/outcome.js';
import { findJob } from '../jobs/read-jobs.js';
import type { GoalRow } from '../tasks/goal.js';
import { explainRest, isMovedByOthers, type UndoneTask } from './explain-rest.js';

/** How a run ends, and why if not well. */
export type Ending =
  | { status: 'completed' }
  | { status: 'failed'; code: string; message: string }
  | { status: 'cancelled'; message: string };

/** How a run ends that has no job under way and found nothing ready; nothing when others will move its goal. */
export async function endOfWork(sql: Sql, run: JobRow, goal: GoalRow): Promise<Ending | undefined> {
  const { pending, in_progress, failed, completed } = await progressOf(sql, goal.id);
  const open = pending + in_progress;
  if (open + failed + completed === 0)
    return { status: 'cancelled', message: `Goal ${goal.id} has no tasks any more.` };
  if (open === 0 && failed === 0) return { status: 'completed' };
  if (open > 0 && (await isMovedByOthers(sql, goal.id))) return undefined;
  const left = open + failed;
  const message =
    `${left} ${left === 1 ? 'task is' : 'tasks are'} not done, and nothing is ready. ` +
    `${nameSome(await explainRest(sql, goal.id, run.id), left)} ` +
    'Mend or cancel what the others wait for (update_task_status, edit_task), then call run_goal again.';
  return { status: 'failed', code: 'stuck', message };
}

/** The summary in the run's result has more of them. */
function nameSome(tasks: readonly UndoneTask[], count: number): string {
  const named = tasks.slice(0, 4).map(({ task_id, title, because }) => `Task ${task_id} "${title}": ${because}`);
  return named.join(' ') + (count > named.length ? ` And ${count - named.length} more.` : '');
}

/** Writes the end; what depends on the run is told, and `onEnded` keeps its summary. */
export async function endRun(sql: Sql, run: JobRow, ending: Ending, change: Change, onEnded: JobEnded): Promise<void> {
  const { status } = ending;
  const code = ending.status === 'failed' ? ending.code : ending.status === 'cancelled' ? 'cancelled' : null;
  const message = ending.status === 'completed' ? null : ending.message;
  await writeRunEnd(sql, run, { status, code, message }, change.at);
  const data = { type: run.type, ...(message === null ? {} : { code, message }) };
  await recordEvent(sql, { ...change, subject: 'job', subjectId: run.id, type: status, data });
  await notifyDependents(sql, await findJob(sql, run.id), change, onEnded);
}
