import type { JsonObject } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { readBudget } from '../budget/ledger.js';
import { progressOf } from '../goals/goals.js';
import { addUpRunTokens, storeRunSummary } from '../jobs/goal-run.js';
import { type JobRow, runGoal } from '../jobs/job.js';
import { findGoal } from '../tasks/goal.js';
import { explainWaiting } from '../tasks/ready.js';
import type { TaskRow } from '../tasks/task.js';

/**
 * Stores the summary of a run in its row, as data and as text: the progress of its goal, the end of each job, and the
 * tasks that are not done, with the reasons.
 */
export async function storeSummary(sql: Sql, run: JobRow): Promise<void> {
  const goalId = run.goal_id ?? 0;
  const goal = await findGoal(sql, goalId);
  const { cap, spent } = await readBudget(sql, `goal:${goalId}`);
  const used = await addUpRunTokens(sql, run);
  const { shown, count } = await listWorked(sql, run.id);
  const left = await explainUndone(sql, goalId, run.id);
  const tasks = await progressOf(sql, goalId);
  const summary: JsonObject = {
    goal_id: goalId,
    goal_status: goal.status,
    tasks: { ...tasks },
    tokens: { ...used, goal_spent: spent, goal_budget: cap },
    worked: shown,
    ...(count > shown.length ? { worked_not_shown: count - shown.length } : {}),
    ...(left.length > 0 ? { left: left.map((task) => ({ ...task })) } : {}),
  };
  const text = [
    `Goal ${goalId} "${goal.name}" is ${goal.status}: ${tasks.completed} of ${tasks.total} tasks completed, ` +
      `${used.input + used.output} tokens used by this run.`,
    ...shown.map(({ task_id, title, status }) => `Task ${task_id} "${title}" is ${status}.`),
    ...(count > shown.length ? [`And ${count - shown.length} more jobs.`] : []),
    ...(left.length > 0 ? ['', 'What is left:'] : []),
    ...left.map(({ task_id, title, because }) => `Task ${task_id} "${title}": ${because}`),
  ].join('\n');
  await storeRunSummary(sql, run, summary, text);
}

/** How many jobs a summary lists; more would be too much for a model to read. */
const mostJobs = 50;

type WorkedRow = Pick<JobRow, 'id' | 'status' | 'input_tokens' | 'output_tokens' | 'error_message'> &
  Pick<TaskRow, 'title'> & { task_id: number; task_status: TaskRow['status'] };

interface WorkedTask extends JsonObject {
  task_id: number;
  title: string;
  status: string;
}

/** The jobs of a run, failed tasks first. */
async function listWorked(sql: Sql, runId: string): Promise<{ shown: WorkedTask[]; count: number }> {
  const rows = await sql.all<WorkedRow>(
    `select j.task_id, t.title, t.status as task_status, j.id, j.status, j.input_tokens, j.output_tokens, j.error_message
     from jobs j join tasks t on t.id = j.task_id where j.parent_id = ?
     order by t.status <> 'failed', j.seq limit ?`,
    runId,
    mostJobs,
  );
  const total = await sql.get<{ count: number }>('select count(*) as count from jobs where parent_id = ?', runId);
  const sharing = new Map<string, number>();
  for (const { error_message: error } of rows) if (error !== null) sharing.set(error, (sharing.get(error) ?? 0) + 1);
  const said = new Set<string>();
  const shown = rows.map((row) => ({
    task_id: row.task_id,
    title: row.title.slice(0, 60),
    status: row.task_status,
    job_id: row.id,
    job_status: row.status,
    input_tokens: row.input_tokens,
    output_tokens: row.output_tokens,
    ...errorOf(row.error_message, sharing, said),
  }));
  return { shown, count: total?.count ?? 0 };
}

/** The error of a job. One that several jobs have is said with the first of them, with how many have it. */
function errorOf(error: string | null, sharing: ReadonlyMap<string, number>, said: Set<string>): JsonObject {
  if (error === null || said.has(error)) return {};
  said.add(error);
  const count = sharing.get(error) ?? 1;
  return { error: error.slice(0, 200), ...(count > 1 ? { jobs_with_this_error: count } : {}) };
}

/** A task that is not done, and the reason. */
export interface UndoneTask {
  task_id: number;
  title: string;
  because: string;
}

/** How many undone tasks are listed; the others are only counted. */
const mostUndone = 10;

/** The tasks of a goal that are not done, with the reasons. Failed ones come first, as the others may wait for them. */
export async function explainUndone(sql: Sql, goalId: number, runId: string): Promise<UndoneTask[]> {
  const rows = await sql.all<TaskRow & { has_cancelled_job: number }>(
    `select *, ${hasCancelledJob} as has_cancelled_job from tasks
     where goal_id = ? and status in ('failed', 'in_progress', 'pending')
     order by case status when 'failed' then 0 when 'in_progress' then 1 else 2 end, id limit ?`,
    runId,
    goalId,
    mostUndone,
  );
  const undone: UndoneTask[] = [];
  const failures = new Map<string, number>();
  for (const row of rows) {
    const because = await explain(sql, row);
    const reason = reasonIn(row, because);
    const same = failures.get(reason);
    undone.push({
      task_id: row.id,
      title: row.title.slice(0, 80),
      because: same === undefined ? because : `It failed for the same reason as task ${same}.`,
    });
    if (row.status === 'failed' && same === undefined) failures.set(reason, row.id);
  }
  return undone;
}

/** Failures of jobs differ by the job's id alone. */
const reasonIn = ({ status }: TaskRow, because: string): string =>
  status === 'failed' ? because.replace(/^It failed: Job \S+ failed: /, '') : '';

/** SQL: whether the job of a task in a run was cancelled by hand; takes the run's id. */
export const hasCancelledJob =
  "exists (select 1 from jobs where parent_id = ? and task_id = tasks.id and status = 'cancelled')";

async function explain(sql: Sql, row: TaskRow & { has_cancelled_job: number }): Promise<string> {
  if (row.status === 'failed') return `It failed: ${(row.error ?? 'no reason given').slice(0, 200)}`;
  if (row.status === 'in_progress') return `It is held by ${row.claimed_by}.`;
  const waiting = await explainWaiting(sql, row);
  if (waiting) return waiting;
  return row.has_cancelled_job === 1 ? 'Its job was cancelled, and the run does not retry it.' : 'It is ready.';
}

/**
 * Whether a task of the goal will become ready without any intervention: someone is working on one of its tasks, or on a
 * task of another goal that it depends on, or the `not_before` of a task has not come.
 */
export async function isMovedByOthers(sql: Sql, goalId: number): Promise<boolean> {
  const moving = await sql.get(
    `select 1 where exists (select 1 from tasks where goal_id = ? and status = 'in_progress')
       or exists (select 1 from tasks
         where goal_id = ? and status = 'pending' and unfinished_dependencies = 0 and is_held = 1)
       or exists (select 1 from tasks t
         join task_dependencies d on d.task_id = t.id and d.state = 'waiting'
         join tasks o on o.id = d.depends_on
         where t.goal_id = ? and t.status = 'pending' and o.goal_id is distinct from t.goal_id and (o.status = 'in_progress'
           or exists (select 1 from jobs r
             where r.goal_id = o.goal_id and r.type = '${runGoal}' and r.status = 'running')))`,
    goalId,
    goalId,
    goalId,
  );
  return moving !== undefined;
}
