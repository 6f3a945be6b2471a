import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { JsonObject } from '../../base/json.js';
import type { Micros } from '../../base/money.js';
import type { Database, Sql } from '../../store/sql.js';
import { countRows, type Fragment, is, where } from '../../store/where.js';
import type { Actor } from '../actor.js';
import { type Budget, type Money, readBudget, readMoney, setBudget, setMoneyBudget } from '../budget/ledger.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { findLiveRun } from '../jobs/goal-run.js';
import {
  describeGoal,
  findGoal,
  type Goal,
  type GoalRow,
  type GoalStatus,
  insertGoal,
  setGoalStatus,
  toGoal,
} from '../tasks/goal.js';
import { type Task, type TaskStatus, toTask } from '../tasks/task.js';
import { readTaskCounts } from '../tasks/task-counts.js';
import { cancelTasksOfGoal, reopenTasksOfGoal } from '../tasks/transitions.js';
import { findCriticalPath } from './critical-path.js';
import { type ImportedBoard, type ImportOutcome, importBoard, previewImport } from './import-board.js';
import { decomposeTask, type SubtaskPlan } from './subtasks.js';

export interface NewGoal extends Pick<Goal, 'name' | 'description'> {
  metadata?: JsonObject | undefined;
  /** Absent: the caller's project. */
  project?: string | undefined;
  /** The most tokens that its tasks may use; absent for no limit. */
  tokenBudget?: number | undefined;
  /** The most that their calls of models may cost. */
  budgetMicros?: Micros | undefined;
}

/** What to change of a goal; an absent field stays as it is. */
export interface GoalEdit {
  name?: string | undefined;
  description?: string | undefined;
  metadata?: JsonObject | undefined;
  /** null removes the limit. */
  tokenBudget?: number | null | undefined;
  budgetMicros?: Micros | null | undefined;
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
  money: Money;
  /** The ids of the longest chain of open tasks, in order; absent for a goal with too many of them to search. */
  criticalPath: number[] | undefined;
  /** The run that is working on it now. */
  runId: string | undefined;
}

export type Goals = ReturnType<typeof createGoals>;

/** The goals, and how far their tasks are. Every writing operation is one transaction. */
export function createGoals({ db, clock }: { db: Database; clock: Clock }) {
  return {
    create: (goal: NewGoal, actor: Actor): Promise<GoalDetail> =>
      db.transaction((sql) => createGoal(sql, goal, actor, clock.now())),

    /** Throws `not_found`. */
    get: async (id: number): Promise<GoalDetail> => goalDetail(db, await findGoal(db, id)),

    /** Goals, newest first. */
    async list({ limit, ...filter }: GoalFilter): Promise<GoalWithProgress[]> {
      const found = whereGoals(filter);
      const rows = await db.all<GoalRow>(
        `select * from goals ${found.text} order by id desc limit ?`,
        ...found.values,
        limit,
      );
      const goals: GoalWithProgress[] = [];
      for (const row of rows) goals.push({ ...toGoal(row), progress: await progressOf(db, row.id) });
      return goals;
    },

    /** How many there are on all pages of a list. */
    count: (filter: Omit<GoalFilter, 'limit'>): Promise<number> =>
      countRows(db, 'goals', whereGoals({ ...filter, beforeId: undefined })),

    /** Throws `not_found`, and `conflict` for completing a goal that has open tasks. */
    edit: (id: number, edit: GoalEdit, actor: Actor): Promise<GoalDetail> =>
      db.transaction((sql) => editGoal(sql, id, edit, { at: clock.now(), actor })),

    /** Makes a cancelled goal active with the tasks that were cancelled with it; see `reopenWithTasks`. */
    reopen: (id: number, actor: Actor): Promise<number> =>
      db.transaction((sql) => reopenWithTasks(sql, id, { at: clock.now(), actor })),

    /** What importing a board would do. */
    previewImport: (board: ImportedBoard, actor: Actor): Promise<ImportOutcome> =>
      previewImport(db, board, actor.project),

    /** Puts goals and tasks of elsewhere on the board; see `importBoard`. */
    importBoard: (board: ImportedBoard, actor: Actor): Promise<ImportOutcome> =>
      db.transaction((sql) => importBoard(sql, board, { at: clock.now(), actor })),

    /** Breaks a task into parts; see `decomposeTask`. */
    decomposeTask: (plan: SubtaskPlan, actor: Actor): Promise<Task[]> =>
      db.transaction(async (sql) => (await decomposeTask(sql, plan, actor, clock)).map(toTask)),
  };
}

function whereGoals({ status, project, beforeId }: Omit<GoalFilter, 'limit'>): Fragment {
  return where(is('status = ?', status), is("project in (?, '')", project), is('id < ?', beforeId));
}

/** Stores a goal. */
export async function createGoal(sql: Sql, goal: NewGoal, actor: Actor, at: EpochMs): Promise<GoalDetail> {
  const { name, description, project = actor.project, metadata = {}, tokenBudget, budgetMicros } = goal;
  const row = await insertGoal(sql, { name, description, project, metadata }, at);
  if (tokenBudget !== undefined) await setBudget(sql, `goal:${row.id}`, tokenBudget, at);
  if (budgetMicros !== undefined) await setMoneyBudget(sql, `goal:${row.id}`, budgetMicros, at);
  await recordEvent(sql, { at, actor, subject: 'goal', subjectId: row.id, type: 'created' });
  return goalDetail(sql, row);
}

async function editGoal(sql: Sql, id: number, edit: GoalEdit, change: Change): Promise<GoalDetail> {
  const row = await findGoal(sql, id);
  const { name = row.name, description = row.description, metadata, tokenBudget, budgetMicros, status } = edit;
  const json = metadata === undefined ? row.metadata : JSON.stringify(metadata);
  await describeGoal(sql, id, { name, description, metadata: json }, change.at);
  if (tokenBudget !== undefined) await setBudget(sql, `goal:${id}`, tokenBudget, change.at);
  if (budgetMicros !== undefined) await setMoneyBudget(sql, `goal:${id}`, budgetMicros, change.at);
  await recordEdit(sql, id, edit, change);
  if (status !== undefined && status !== row.status) await changeStatus(sql, row, status, change);
  return goalDetail(sql, await findGoal(sql, id));
}

async function recordEdit(sql: Sql, id: number, { status: _, ...edit }: GoalEdit, change: Change): Promise<void> {
  const fields = Object.entries(edit).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (fields.length === 0) return;
  await recordEvent(sql, { ...change, subject: 'goal', subjectId: id, type: 'edited', data: { fields } });
}

async function changeStatus(sql: Sql, goal: GoalRow, status: GoalStatus, change: Change): Promise<void> {
  if (status === 'completed') await refuseOpenTasks(sql, goal);
  await setGoalStatus(sql, goal.id, status, change);
  if (status === 'cancelled') await cancelTasksOfGoal(sql, goal.id, change);
}

/** Resolves to how many of its tasks are open again. Throws `not_found`, and `conflict` for a goal that is not cancelled. */
async function reopenWithTasks(sql: Sql, id: number, change: Change): Promise<number> {
  const goal = await findGoal(sql, id);
  if (goal.status !== 'cancelled') {
    throw new RuntimeError(
      'conflict',
      `Goal ${id} "${goal.name}" is ${goal.status}, not cancelled.`,
      'Nothing was done.',
    );
  }
  await setGoalStatus(sql, id, 'active', change);
  return reopenTasksOfGoal(sql, goal, change);
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

/** Searching the critical path of 5,000 open tasks takes some 30 ms, and blocks the server for that time. */
const searchableTasks = 5_000;

async function goalDetail(sql: Sql, row: GoalRow): Promise<GoalDetail> {
  const progress = await progressOf(sql, row.id);
  const isSearchable = progress.pending + progress.in_progress <= searchableTasks;
  return {
    ...toGoal(row),
    progress,
    budget: await readBudget(sql, `goal:${row.id}`),
    money: await readMoney(sql, `goal:${row.id}`),
    criticalPath: isSearchable ? await findCriticalPath(sql, row.id) : undefined,
    runId: (await findLiveRun(sql, row.id))?.id,
  };
}

/** Counts the tasks of a goal by status. */
export async function progressOf(sql: Sql, goalId: number): Promise<Progress> {
  const { ready, waiting, in_progress, completed, failed, cancelled } = await readTaskCounts(sql, { goalId });
  const pending = ready + waiting;
  const total = pending + in_progress + completed + failed + cancelled;
  return { total, pending, in_progress, completed, failed, cancelled };
}
