import type { EpochMs } from '../../base/clock.js';
import { type JsonObject, readJson } from '../../base/json.js';
import type { Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';
import { readBudget } from '../budget/ledger.js';
import { findGoal, type GoalRow } from '../tasks/goal.js';
import type { TaskRow } from '../tasks/task.js';

export interface ExportScope {
  /** Only this goal and its tasks. */
  goalId?: number | undefined;
  /** This project, with what belongs to none; undefined for all. */
  withinProject?: string | undefined;
}

/** Goals and tasks, oldest first, as `agent-runtime export` writes them. Throws `not_found` for an unknown goal. */
export async function exportBoard(sql: Sql, { goalId, withinProject }: ExportScope) {
  if (goalId !== undefined) await findGoal(sql, goalId);
  const inProject = is("project in (?, '')", withinProject);
  const ofGoals = where(is('id = ?', goalId), inProject);
  const ofTasks = where(is('goal_id = ?', goalId), inProject);
  const goals = await sql.all<GoalRow>(`select * from goals ${ofGoals.text} order by id`, ...ofGoals.values);
  const tasks = await sql.all<TaskRow>(`select * from tasks ${ofTasks.text} order by id`, ...ofTasks.values);
  const links = await sql.all<{ task_id: number; depends_on: number }>(
    'select task_id, depends_on from task_dependencies order by task_id, depends_on',
  );
  const dependencies = new Map<number, number[]>();
  for (const { task_id, depends_on } of links) {
    const known = dependencies.get(task_id);
    if (known) known.push(depends_on);
    else dependencies.set(task_id, [depends_on]);
  }
  const budgets = new Map<number, number | null>();
  for (const { id } of goals) budgets.set(id, (await readBudget(sql, `goal:${id}`)).cap);
  return {
    format: 'agent-runtime-board' as const,
    version: 1 as const,
    goals: goals.map(({ id, name, description, status, project, ...goal }) => ({
      id,
      name,
      description,
      status,
      project,
      token_budget: budgets.get(id) ?? null,
      metadata: readJson<JsonObject>(goal.metadata),
      created_at: iso(goal.created_at),
      completed_at: isoOrNull(goal.completed_at),
    })),
    tasks: tasks.map((task) => showTask(task, dependencies.get(task.id) ?? [])),
  };
}

function showTask(task: TaskRow, dependencies: number[]) {
  return {
    id: task.id,
    key: task.key,
    goal_id: task.goal_id,
    project: task.project,
    title: task.title,
    description: task.description,
    acceptance: task.acceptance,
    expected_output: task.expected_output,
    status: task.status,
    priority: task.priority,
    dependencies,
    parent_id: task.parent_id,
    discovered_from: task.discovered_from,
    on_dependency_failure: task.on_dependency_failure,
    max_attempts: task.max_attempts,
    deadline: isoOrNull(task.deadline_at),
    not_before: isoOrNull(task.not_before),
    result: task.result,
    error: task.error,
    metadata: readJson<JsonObject>(task.metadata),
    created_at: iso(task.created_at),
    started_at: isoOrNull(task.started_at),
    completed_at: isoOrNull(task.completed_at),
  };
}

const iso = (at: EpochMs): string => new Date(at).toISOString();
const isoOrNull = (at: EpochMs | null): string | null => (at === null ? null : iso(at));
