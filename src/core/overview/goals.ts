import type { Clock, EpochMs } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import { is, where } from '../../store/where.js';
import { type Budget, type Money, readBudget, readMoney } from '../budget/ledger.js';
import { findCriticalPath } from '../goals/critical-path.js';
import { containing } from '../tasks/containing.js';
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
  money: Money;
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

/** Attention: active ones first, of those the ones with the most failed and overdue tasks, then those being worked on. */
export const goalOrders = ['newest', 'attention', 'name'] as const;
export type GoalOrder = (typeof goalOrders)[number];

const counted = (states: string) =>
  `(select coalesce(sum(count), 0) from task_counts c where c.goal_id = goals.id and c.state in (${states}))`;

const orderBy: Record<GoalOrder, string> = {
  newest: 'id desc',
  attention: `status = 'active' desc, case when status = 'active' then ${counted("'failed', 'overdue'")} else 0 end desc,
    case when status = 'active' then ${counted("'in_progress'")} else 0 end desc, updated_at desc, id desc`,
  name: 'lower(name), id',
};

export interface GoalPage {
  status?: GoalStatus | undefined;
  /** Part of a name or description, in any case. */
  text?: string | undefined;
  order?: GoalOrder | undefined;
  /** How many of the first to leave out. */
  offset?: number | undefined;
  /** This project, and goals without one. */
  withinProject?: string | undefined;
  beforeId?: number | undefined;
  limit: number;
}

/** Goals with their progress by state and their tokens, newest first unless another order is wanted. */
export async function readGoals(
  sql: Sql,
  { status, text, order = 'newest', offset = 0, withinProject, beforeId, limit }: GoalPage,
): Promise<GoalProgress[]> {
  const found = where(
    is('status = ?', status),
    is("project in (?, '')", withinProject),
    is('id < ?', beforeId),
    text === undefined ? undefined : containing(text, ['name', 'description']),
  );
  const rows = await sql.all<GoalRow>(
    `select id, substr(name, 1, 240) as name, substr(description, 1, 240) as description, status, project, created_at,
       completed_at
     from goals ${found.text} order by ${orderBy[order]} limit ? offset ?`,
    ...found.values,
    limit,
    offset,
  );
  const goals: GoalProgress[] = [];
  for (const { created_at, completed_at, ...row } of rows) {
    goals.push({
      ...row,
      createdAt: created_at,
      completedAt: completed_at,
      summary: await countStates(sql, { goalId: row.id }),
      budget: await readBudget(sql, `goal:${row.id}`),
      money: await readMoney(sql, `goal:${row.id}`),
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

/** Open ones, and what failed, which keeps others from going on; done ones last, and of those the newest first. */
const openFirst =
  "status in ('pending', 'in_progress') desc, status = 'failed' desc, case when status in ('pending', 'in_progress') then id else -id end";

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
  const nodes = await readTasks(db, [condition], openFirst, limit);
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
