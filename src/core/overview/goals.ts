import type { Clock, EpochMs } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';
import { type Budget, readBudget } from '../budget/ledger.js';
import { findCriticalPath } from '../goals/critical-path.js';
import { findGoal, type GoalStatus } from '../tasks/goal.js';
import { type BoardSummary, type BoardTask, countStates, readTasks } from './board.js';

export interface GoalProgress {
  id: number;
  name: string;
  description: string;
  status: GoalStatus;
  project: string;
  createdAt: EpochMs;
  completedAt: EpochMs | null;
  summary: BoardSummary;
  budget: Budget;
}

interface GoalRow {
  id: number;
  name: string;
  description: string;
  status: GoalStatus;
  project: string;
  created_at: EpochMs;
  completed_at: EpochMs | null;
}

export interface GoalPage {
  status?: GoalStatus | undefined;
  /** This project, and goals without one. */
  withinProject?: string | undefined;
  beforeId?: number | undefined;
  limit: number;
}

/** Goals with their progress by state and their tokens, newest first. */
export async function readGoals(
  sql: Sql,
  { status, withinProject, beforeId, limit }: GoalPage,
): Promise<GoalProgress[]> {
  const found = where(is('status = ?', status), is("project in (?, '')", withinProject), is('id < ?', beforeId));
  const rows = await sql.all<GoalRow>(
    `select id, substr(name, 1, 240) as name, substr(description, 1, 240) as description, status, project, created_at,
       completed_at
     from goals ${found.text} order by id desc limit ?`,
    ...found.values,
    limit,
  );
  const goals: GoalProgress[] = [];
  for (const { created_at, completed_at, ...row } of rows) {
    goals.push({
      ...row,
      createdAt: created_at,
      completedAt: completed_at,
      summary: await countStates(sql, { goalId: row.id }),
      budget: await readBudget(sql, `goal:${row.id}`),
    });
  }
  return goals;
}

/** A goal's tasks and their dependencies: `edges` lead from a dependency to its dependent. */
export interface GoalGraph {
  nodes: BoardTask[];
  edges: [from: number, to: number][];
  /** The longest chain of open tasks, in order. */
  criticalPath: number[];
  /** The number of tasks without the limit. */
  total: number;
}

const openOnly = "status in ('pending', 'in_progress')";

/**
 * The graph of at most `limit` of a goal's tasks, open ones first. Throws `not_found`.
 */
export async function readGoalGraph(
  { db }: { db: Database; clock: Clock },
  goalId: number,
  { isOpenOnly, limit }: { isOpenOnly: boolean; limit: number },
): Promise<GoalGraph> {
  await findGoal(db, goalId);
  const condition = { text: `goal_id = ?${isOpenOnly ? ` and ${openOnly}` : ''}`, values: [goalId] };
  const nodes = await readTasks(db, [condition], `${openOnly} desc, id`, limit);
  const drawn = new Set(nodes.map(({ id }) => id));
  const edges = await db.all<{ from: number; to: number }>(
    `select d.depends_on as "from", d.task_id as "to" from tasks t join task_dependencies d on d.task_id = t.id
     where t.goal_id = ? order by d.task_id, d.depends_on`,
    goalId,
  );
  const counted = await db.get<{ count: number }>(
    `select count(*) as count from tasks where ${condition.text}`,
    ...condition.values,
  );
  return {
    nodes: nodes.sort((one, other) => one.id - other.id),
    edges: edges.flatMap(({ from, to }) => (drawn.has(from) && drawn.has(to) ? [[from, to] as [number, number]] : [])),
    criticalPath: await findCriticalPath(db, goalId),
    total: counted?.count ?? 0,
  };
}
