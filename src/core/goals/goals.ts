import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { type Budget, readBudget, setBudget } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { findLiveRun } from '../jobs/goal-run.js';
import { failDependents } from '../tasks/dependents.js';
import { type Goal, type GoalRow, type GoalStatus, toGoal } from '../tasks/goal.js';
import { findGoal } from '../tasks/goal.js';
import type { TaskRow, TaskStatus } from '../tasks/task.js';
import { endTask } from '../tasks/transitions.js';
import { findCriticalPath } from './critical-path.js';

export interface NewGoal {
  name: string;
  description: string;
  metadata?: JsonObject | undefined;
  project?: string | undefined;
  tokenBudget?: number | undefined;
}

export interface GoalEdit {
  name?: string | undefined;
  description?: string | undefined;
  metadata?: JsonObject | undefined;
  tokenBudget?: number | null | undefined;
  status?: GoalStatus | undefined;
}

export interface GoalFilter {
  status?: GoalStatus | undefined;
  project?: string | undefined;
  beforeId?: number | undefined;
  limit: number;
}

/** How many tasks of a goal are in each status. */
export type Progress = Record<TaskStatus, number> & { total: number };

export interface GoalWithProgress extends Goal {
  progress: Progress;
}

export interface GoalDetail extends GoalWithProgress {
  budget: Budget;
  /** The longest chain of open tasks, in the order they must be done; absent on goals too large to search. */
  criticalPath: number[] | undefined;
  /** The run that works on it now. */
  runId: string | undefined;
}

export type Goals = ReturnType<typeof createGoals>;

export function createGoals({ db, clock }: { db: Database; clock: Clock }) {
  return {
    create: (goal: NewGoal, actor: Actor): Promise<GoalDetail> =>
      db.transaction(async (sql) => {
        const at = clock.now();
        const row = await sql.get<GoalRow>(
          `insert into goals (name, description, project, metadata, created_at, updated_at)
           values (?, ?, ?, ?, ?, ?) returning *`,
          goal.name,
          goal.description,
          goal.project ?? actor.project,
          JSON.stringify(goal.metadata ?? {}),
          at,
          at,
        );
        if (!row) throw new Error('An insert returned no row.');
        if (goal.tokenBudget !== undefined) await setBudget(sql, `goal:${row.id}`, goal.tokenBudget, at);
        await recordEvent(sql, { at, actor, subject: 'goal', subjectId: row.id, type: 'created' });
        return goalDetail(sql, row);
      }),

    get: async (id: number): Promise<GoalDetail> => goalDetail(db, await findGoal(db, id)),

    async list(filter: GoalFilter): Promise<GoalWithProgress[]> {
      const rows = await db.all<GoalRow>(
        `select * from goals where (? is null or status = ?) and (? is null or project in (?, '')) and id < ?
         order by id desc limit ?`,
        ...[filter.status, filter.project].flatMap((value) => [value ?? null, value ?? null]),
        filter.beforeId ?? Number.MAX_SAFE_INTEGER,
        filter.limit,
      );
      const goals: GoalWithProgress[] = [];
      for (const row of rows) goals.push({ ...toGoal(row), progress: await progressOf(db, row.id) });
      return goals;
    },

    edit: (id: number, edit: GoalEdit, actor: Actor): Promise<GoalDetail> =>
      db.transaction(async (sql) => {
        const change: Change = { at: clock.now(), actor };
        const row = await findGoal(sql, id);
        await sql.run(
          'update goals set name = ?, description = ?, metadata = ?, updated_at = ? where id = ?',
          edit.name ?? row.name,
          edit.description ?? row.description,
          edit.metadata === undefined ? row.metadata : JSON.stringify(edit.metadata),
          change.at,
          id,
        );
        if (edit.tokenBudget !== undefined) await setBudget(sql, `goal:${id}`, edit.tokenBudget, change.at);
        await recordEdit(sql, id, edit, change);
        if (edit.status !== undefined && edit.status !== row.status) await setStatus(sql, row, edit.status, change);
        return goalDetail(sql, await findGoal(sql, id));
      }),
  };
}

async function recordEdit(sql: Sql, id: number, { status: _, ...edit }: GoalEdit, change: Change): Promise<void> {
  const fields = Object.entries(edit).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (fields.length === 0) return;
  await recordEvent(sql, { ...change, subject: 'goal', subjectId: id, type: 'edited', data: { fields } });
}

async function setStatus(sql: Sql, goal: GoalRow, status: GoalStatus, change: Change): Promise<void> {
  if (status === 'completed') await refuseOpenTasks(sql, goal);
  await sql.run(
    'update goals set status = ?, completed_at = ?, updated_at = ? where id = ?',
    status,
    status === 'active' ? null : change.at,
    change.at,
    goal.id,
  );
  await recordEvent(sql, {
    ...change,
    subject: 'goal',
    subjectId: goal.id,
    type: status === 'active' ? 'reopened' : status,
  });
  if (status === 'cancelled') await cancelOpenTasks(sql, goal.id, change);
}

async function refuseOpenTasks(sql: Sql, goal: GoalRow): Promise<void> {
  const { pending, in_progress } = await progressOf(sql, goal.id);
  const open = pending + in_progress;
  if (open === 0) return;
  throw new RuntimeError(
    'conflict',
    `Goal ${goal.id} "${goal.name}" still has ${open} open ${open === 1 ? 'task' : 'tasks'}.`,
    'Complete or cancel them (list_tasks shows them), or set the goal to cancelled, which cancels them.',
  );
}

/** All of them first, so that no policy skips a task that is being cancelled; then those that wait for them elsewhere. */
async function cancelOpenTasks(sql: Sql, goalId: number, change: Change): Promise<void> {
  const open = await sql.all<TaskRow>(
    "select * from tasks where goal_id = ? and status in ('pending', 'in_progress') order by id",
    goalId,
  );
  for (const row of open) await endTask(sql, row, 'cancelled', { error: `Goal ${goalId} was cancelled.` }, change);
  for (const row of open) await failDependents(sql, row.id, change);
}

/** Searching the critical path of 5,000 open tasks takes some 30 ms, in which the server answers nobody else. */
const searchableTasks = 5_000;

async function goalDetail(sql: Sql, row: GoalRow): Promise<GoalDetail> {
  const progress = await progressOf(sql, row.id);
  const isSearchable = progress.pending + progress.in_progress <= searchableTasks;
  return {
    ...toGoal(row),
    progress,
    budget: await readBudget(sql, `goal:${row.id}`),
    criticalPath: isSearchable ? await findCriticalPath(sql, row.id) : undefined,
    runId: (await findLiveRun(sql, row.id))?.id,
  };
}

export async function progressOf(sql: Sql, goalId: number): Promise<Progress> {
  const progress: Progress = { total: 0, pending: 0, in_progress: 0, completed: 0, failed: 0, cancelled: 0 };
  const rows = await sql.all<{ status: TaskStatus; count: number }>(
    'select status, count(*) as count from tasks where goal_id = ? group by status',
    goalId,
  );
  for (const { status, count } of rows) {
    progress[status] = count;
    progress.total += count;
  }
  return progress;
}
