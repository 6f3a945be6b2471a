import type { Clock } from '../../base/clock.js';
import { rowOf } from '../../store/insert-row.js';
import type { Database, Sql, TransactionOptions } from '../../store/sql.js';
import { countRows, where } from '../../store/where.js';
import { withCommit } from '../../store/with-commit.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { noteEvents } from '../events/events.js';
import type { TaskWorktree } from '../worktrees/worktrees.js';
import { type ClaimOptions, claimantFor, claimNext } from './claim.js';
import { createTasks, type NewTask, standsAlone } from './create-tasks.js';
import { dependencyKeys } from './dependencies.js';
import { editTask, type TaskEdit } from './edit-task.js';
import { type Effects, readEffects } from './effects.js';
import { findGoal } from './goal.js';
import type { DependencyResult, TaskHistory } from './history.js';
import {
  countTasks,
  listTasks,
  readDependencyIds,
  type TaskFilter,
  type TaskWithDependencies,
  withDependencies,
} from './list-tasks.js';
import {
  countReady,
  countWaiting,
  findNext,
  hasDueTasks,
  listReady,
  type ReadyPage,
  releaseDueTasks,
  type TaskScope,
  type WaitingReasons,
  whyWaiting,
} from './ready.js';
import { readNeighbours, type SurroundingRow, type Surroundings, surroundingsOf } from './surroundings.js';
import {
  findKeyed,
  idOfTask,
  isReady,
  lockTask,
  type TaskReference,
  type TaskRow,
  taskWithId,
  toTask,
} from './task.js';
import {
  deleteTemplate,
  findTemplate,
  instantiate,
  listTemplates,
  type NewTemplate,
  saveTemplate,
  type TaskTemplate,
} from './templates.js';
import { lapseClaims, releaseClaim } from './transitions.js';
import { type ChangedRow, type StatusUpdate, updateStatus } from './update-status.js';

export interface TaskDetail extends TaskWithDependencies, Omit<Surroundings, 'openDependencies' | 'hasMessages'> {
  isReady: boolean;
  /** Why a pending task is not ready. */
  waitsBecause: string | undefined;
}

export interface ClaimedTask extends TaskWithDependencies {
  /** The results of the tasks it depends on. */
  dependencyResults: DependencyResult[];
  /** What those who worked on it before have left. */
  history: TaskHistory;
  worktree: TaskWorktree | undefined;
  /** Whether the board has any message; of others, none needs to be looked for. */
  hasMessages: boolean;
}

/** A task after a change, with what that has done to others. */
export interface ChangedTask extends TaskWithDependencies {
  effects: Effects;
}

/** The end of a task, with what came of it or what went wrong. */
export interface EndUpdate extends Pick<StatusUpdate, 'task' | 'result' | 'error'> {
  status: 'completed' | 'failed';
}

export interface TemplateUse {
  name: string;
  parameters: ReadonlyMap<string, string>;
  /** The goal that all of the tasks belong to. */
  goalId?: number | undefined;
}

export type Tasks = ReturnType<typeof createTaskBoard>;

/** The board of tasks that all sessions share. Every writing operation is one transaction. */
export function createTaskBoard({ db, clock }: { db: Database; clock: Clock }) {
  const changeBy = (actor: Actor): Change => ({ at: clock.now(), actor });

  async function releaseDue(): Promise<void> {
    if (await hasDueTasks(db, clock)) await db.transaction((sql) => releaseDueTasks(sql, clock.now()));
  }

  /** An unknown goal must throw, or it would look like a goal with nothing to do. */
  async function refuseUnknownGoal({ goalId }: TaskScope): Promise<void> {
    if (goalId !== undefined) await findGoal(db, goalId);
  }

  return {
    /** Creates all tasks or none, in the order given. */
    create: (tasks: readonly NewTask[], actor: Actor): Promise<TaskWithDependencies[]> =>
      db.transaction((sql) => createWhole(sql, tasks, changeBy(actor)), { beside: tasks.every(standsAlone) }),

    /** Creates the tasks of a template, all or none. */
    createFromTemplate: (use: TemplateUse, actor: Actor): Promise<TaskWithDependencies[]> =>
      db.transaction(async (sql) => createWhole(sql, await tasksFromTemplate(sql, use), changeBy(actor))),

    saveTemplate: (template: NewTemplate, actor: Actor): Promise<TaskTemplate> =>
      db.transaction((sql) => saveTemplate(sql, template, changeBy(actor))),

    deleteTemplate: (name: string, actor: Actor): Promise<void> =>
      db.transaction((sql) => deleteTemplate(sql, name, changeBy(actor))),

    listTemplates: (page: { limit: number; afterName?: string | undefined }): Promise<TaskTemplate[]> =>
      listTemplates(db, page),

    countTemplates: (): Promise<number> => countRows(db, 'task_templates', where()),

    /** The task that would be claimed next; does not claim it. */
    async next(scope: TaskScope): Promise<TaskWithDependencies | undefined> {
      await releaseDue();
      const row = await findNext(db, scope);
      if (!row) await refuseUnknownGoal(scope);
      return row && withItsDependencies(db, row);
    },

    /** Claims the next ready task. If nothing is ready, lapsed claims are reclaimed first. */
    async claimNext(scope: TaskScope, options: ClaimOptions, actor: Actor): Promise<ClaimedTask | undefined> {
      const claimed = await db.transaction(
        async (sql) => {
          const row = await claimReadyOrLapsed(sql, scope, options, actor, clock);
          return row && { row, neighbours: withCommit(readNeighbours(sql, row.id)) };
        },
        { beside: true },
      );
      if (claimed) return claimedTask(db, claimed.row, await claimed.neighbours.answer);
      await refuseUnknownGoal(scope);
      return undefined;
    },

    /** All ready tasks, in the order in which they would be claimed. */
    async ready(scope: TaskScope, page: ReadyPage): Promise<TaskWithDependencies[]> {
      await releaseDue();
      return withDependencies(db, await listReady(db, scope, page));
    },

    /** How many tasks are ready. */
    countReady: (scope: TaskScope): Promise<number> => countReady(db, scope),

    /** The keys of the tasks that these depend on, by id. */
    keysOf: (tasks: readonly { id: number }[]): Promise<Map<number, string>> => dependencyKeys(db, tasks),

    /** The id of the task that a caller means by a key, if there is one. Throws `conflict`. */
    async idOfKey(key: string, actor: Actor): Promise<number | undefined> {
      return (await findKeyed(db, key, actor.project))?.id;
    },

    /** Why nothing is ready. */
    waitingReasons: (scope: TaskScope): Promise<WaitingReasons> => countWaiting(db, scope),

    updateStatus: (update: StatusUpdate, actor: Actor): Promise<ChangedTask> =>
      changed(db, (sql) => updateStatus(sql, update, actor, clock), {
        beside: update.status === 'completed' || update.status === 'in_progress',
      }),

    /**
     * Ends a task whoever holds it, in one transaction: a claim on it is released first, so that what its holder still
     * reports is refused. Throws `conflict` for a task that waits or is over; then the claim stays.
     */
    endForAll: (update: EndUpdate, actor: Actor): Promise<ChangedTask> =>
      changed(db, async (sql) => {
        const row = await lockTask(sql, update.task, actor.project);
        if (row.status === 'in_progress') await releaseClaim(sql, row, changeBy(actor));
        return updateStatus(sql, update, actor, clock);
      }),

    edit: (task: TaskReference, edit: TaskEdit, actor: Actor): Promise<ChangedTask> =>
      changed(db, (sql) => editTask(sql, task, edit, changeBy(actor))),

    /** Throws as `findTask` does; a key is looked up for its caller, by default one of no project. */
    get: (reference: TaskReference, { project }: Pick<Actor, 'project'> = { project: '' }): Promise<TaskDetail> =>
      readTaskDetail(db, reference, project, clock),

    async list(filter: TaskFilter): Promise<TaskWithDependencies[]> {
      if (filter.status === 'ready' || filter.status === 'blocked') await releaseDue();
      const tasks = await listTasks(db, filter);
      if (tasks.length === 0) await refuseUnknownGoal(filter);
      return tasks;
    },

    /** How many there are on all pages of a list. */
    count: (filter: Omit<TaskFilter, 'limit'>): Promise<number> => countTasks(db, filter),

    /** Reclaims lapsed claims. Resolves to the ids of their tasks. */
    lapse: (): Promise<number[]> => db.transaction((sql) => lapseClaims(sql, clock)),
  };
}

/** The tasks of a template, not stored yet. Throws `not_found`, and `invalid` for parameters that do not fit. */
export async function tasksFromTemplate(sql: Sql, { name, parameters, goalId }: TemplateUse): Promise<NewTask[]> {
  return instantiate(await findTemplate(sql, name), parameters).map((task) => ({ ...task, goalId }));
}

/** Nothing is read for a task that was given no dependencies. */
async function createWhole(sql: Sql, given: readonly NewTask[], change: Change): Promise<TaskWithDependencies[]> {
  const created: TaskWithDependencies[] = [];
  for (const [index, row] of (await createTasks(sql, given, change)).entries()) {
    const { dependencies = [], after = [] } = given[index] ?? {};
    const ids = dependencies.length + after.length === 0 ? [] : await readDependencyIds(sql, row.id);
    created.push(Object.assign(toTask(row), { dependencies: ids }));
  }
  return created;
}

async function withItsDependencies(sql: Sql, row: TaskRow): Promise<TaskWithDependencies> {
  const [task] = await withDependencies(sql, [row]);
  return rowOf(task);
}

async function changed(
  db: Database,
  change: (sql: Sql) => Promise<ChangedRow>,
  options?: TransactionOptions,
): Promise<ChangedTask> {
  const { answer } = await db.transaction(async (sql) => {
    const noted = noteEvents(sql);
    const row = await change(noted.sql);
    return withCommit(Promise.all([changedTask(sql, row.id), readEffects(sql, row, noted.events)]));
  }, options);
  const [task, effects] = await answer;
  return Object.assign(task, { effects });
}

/** The statements do not wait for each other. */
async function changedTask(sql: Sql, id: number): Promise<TaskWithDependencies> {
  const [row, dependencies] = await Promise.all([taskWithId(sql, id, id), readDependencyIds(sql, id)]);
  return Object.assign(toTask(row), { dependencies });
}

async function claimReadyOrLapsed(
  sql: Sql,
  scope: TaskScope,
  options: ClaimOptions,
  actor: Actor,
  clock: Clock,
): Promise<TaskRow | undefined> {
  const change = { at: clock.now(), actor };
  const claim = () => claimNext(sql, scope, claimantFor(actor, options, clock), change);
  await releaseDueTasks(sql, change.at);
  const row = await claim();
  if (row) return row;
  const lapsed = await lapseClaims(sql, clock);
  return lapsed.length > 0 ? claim() : undefined;
}

/** A task that was just claimed, with what its worker needs to know of others. */
export const toClaimedTask = async (sql: Sql, row: TaskRow): Promise<ClaimedTask> =>
  claimedTask(sql, row, await readNeighbours(sql, row.id));

async function claimedTask(sql: Sql, row: TaskRow, neighbours: readonly SurroundingRow[]): Promise<ClaimedTask> {
  const around = await surroundingsOf(sql, row, neighbours);
  const { dependencies, dependencyResults, history, worktree, hasMessages } = around;
  return Object.assign(toTask(row), { dependencies, dependencyResults, history, worktree, hasMessages });
}

/** The two statements do not wait for each other. */
async function readTaskDetail(sql: Sql, reference: TaskReference, project: string, clock: Clock): Promise<TaskDetail> {
  const id = await idOfTask(sql, reference, project);
  const [row, neighbours] = await Promise.all([taskWithId(sql, id, reference), readNeighbours(sql, id)]);
  const { openDependencies, hasMessages: _, ...around } = await surroundingsOf(sql, row, neighbours);
  const task = toTask(row);
  const isReadyNow = isReady(task, clock.now());
  const waitsBecause = row.status === 'pending' && !isReadyNow ? whyWaiting(row, openDependencies) : undefined;
  return Object.assign(task, around, { isReady: isReadyNow, waitsBecause });
}
