import type { JsonObject } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { readBudget } from '../budget/ledger.js';
import { progressOf } from '../goals/goals.js';
import { addUpRunTokens, storeRunSummary } from '../jobs/goal-run.js';
import type { JobRow } from '../jobs/job.js';
import { findGoal } from '../tasks/goal.js';
import { explainRest } from './explain-rest.js';

/** How many jobs a summary tells of one by one, so that a model can take it in. */
const mostJobs = 50;

interface WorkedRow {
  task_id: number;
  title: string;
  task_status: string;
  id: string;
  status: string;
  input_tokens: number;
  output_tokens: number;
  error_message: string | null;
}

/**
 * Writes what came of a run into its row, as data and as text: how its goal stands, what became of each job, and what is
 * left and why.
 */
export async function keepSummary(sql: Sql, run: JobRow): Promise<void> {
  const goalId = run.goal_id ?? 0;
  const goal = await findGoal(sql, goalId);
  const { cap, spent } = await readBudget(sql, `goal:${goalId}`);
  const used = await addUpRunTokens(sql, run);
  const { shown, count } = await listWorked(sql, run.id);
  const left = await explainRest(sql, goalId, run.id);
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

interface WorkedTask extends JsonObject {
  task_id: number;
  title: string;
  status: string;
}

/** The failed first. */
async function listWorked(sql: Sql, runId: string): Promise<{ shown: WorkedTask[]; count: number }> {
  const rows = await sql.all<WorkedRow>(
    `select j.task_id, t.title, t.status as task_status, j.id, j.status, j.input_tokens, j.output_tokens, j.error_message
     from jobs j join tasks t on t.id = j.task_id where j.parent_id = ?
     order by t.status <> 'failed', j.seq limit ?`,
    runId,
    mostJobs,
  );
  const total = await sql.get<{ count: number }>('select count(*) as count from jobs where parent_id = ?', runId);
  const shown = rows.map((row) => ({
    task_id: row.task_id,
    title: row.title.slice(0, 60),
    status: row.task_status,
    job_id: row.id,
    job_status: row.status,
    input_tokens: row.input_tokens,
    output_tokens: row.output_tokens,
    ...(row.error_message === null ? {} : { error: row.error_message.slice(0, 200) }),
  }));
  return { shown, count: total?.count ?? 0 };
}
