import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import { type ClaimWishes, claimantFor, explainWaiting } from './claim.js';
import { claimNext, hasDueTasks, releaseDueTasks } from './claim-next.js';
import { createTasks, type NewTask } from './create-tasks.js';
import { editTask, type TaskEdit } from './edit-task.js';
import { findGoal } from './goal-status.js';
import { lapseClaims } from './lapse.js';
import {
  countWaiting,
  dependencyKeys,
  listTasks,
  type TaskFilter,
  type TaskWithDependencies,
  type WaitingReasons,
  withDependencies,
} from './list-tasks.js';
import { findNext, listReady, type ReadyPage, type TaskScope } from './ready.js';
import { findTask, type TaskReference } from './references.js';
import { isReady, type TaskRow, type TaskStatus, toTask } from './task.js';
import {
  findTemplate,
  instantiate,
  listTemplates,
  type NewTemplate,
  saveTemplate,
  type TaskTemplate,
} from './templates.js';
import { type StatusUpdate, updateStatus } from './update-status.js';

export interface TaskDetail extends TaskWithDependencies {
  dependents: number[];
  isReady: boolean;
  /** Why it is pending and yet not ready. */
  waitsBecause: string | undefined;
}

export interface ClaimedTask extends TaskWithDependencies {
  /** What the tasks before it left for it. */
  dependencyResults: DependencyResult[];
}

export interface DependencyResult {
  id: number;
  title: string;
  status: TaskStatus;
  result: string | null;
}

export interface TemplateUse {
  name: string;
  parameters: ReadonlyMap<string, string>;
  goalId?: number | undefined;
}

export type Tasks = ReturnType<typeof createTaskBoard>;

/** The board of tasks that all sessions share. */
export function createTaskBoard({ db, clock }: { db: Database; clock: Clock }) {
  const changeBy = (actor: Actor) => ({ at: clock.now(), actor });

  async function releaseDue(): Promise<void> {
    if (await hasDueTasks(db, clock)) await db.transaction((sql) => releaseDueTasks(sql, clock.now()));
  }

  /** Nothing of a goal that does not exist would look like a goal with nothing to do. */
  async function orUnknownGoal({ goalId }: TaskScope): Promise<undefined> {
    if (goalId !== undefined) await findGoal(db, goalId);
    return undefined;
  }

  return {
    /** Creates all or none; in the order given. */
    create: (tasks: readonly NewTask[], actor: Actor): Promise<TaskWithDependencies[]> =>
      db.transaction(async (sql) => withDependencies(sql, await createTasks(sql, tasks, changeBy(actor)))),

    /** Creates the tasks of a template, all or none; a goal may be given for all of them. */
    createFromTemplate: (use: TemplateUse, actor: Actor): Promise<TaskWithDependencies[]> =>
      db.transaction(async (sql) => {
        const tasks = instantiate(await findTemplate(sql, use.name), use.parameters);
        const placed = tasks.map((task) => ({ ...task, goalId: use.goalId }));
        return withDependencies(sql, await createTasks(sql, placed, changeBy(actor)));
      }),

    saveTemplate: (template: NewTemplate, actor: Actor): Promise<TaskTemplate> =>
      db.transaction((sql) => saveTemplate(sql, template, changeBy(actor))),

    listTemplates: (page: { limit: number; afterName?: string | undefined }): Promise<TaskTemplate[]> =>
      listTemplates(db, page),

    /** What would be claimed next; takes nothing. */
    async next(scope: TaskScope): Promise<TaskWithDependencies | undefined> {
      await releaseDue();
      const row = await findNext(db, scope);
      return row ? one(await withDependencies(db, [row])) : orUnknownGoal(scope);
    },

    /** Claims the next ready task, after lapsed claims are back in the line if nothing else is. */
    async claimNext(scope: TaskScope, wishes: ClaimWishes, actor: Actor): Promise<ClaimedTask | undefined> {
      const claimed = await db.transaction(async (sql) => {
        await releaseDueTasks(sql, clock.now());
        const claim = () => claimNext(sql, scope, claimantFor(actor, wishes, clock), changeBy(actor));
        let row = await claim();
        if (!row && (await lapseClaims(sql, clock)).length > 0) row = await claim();
        return row && claimedTask(sql, row);
      });
      return claimed ?? orUnknownGoal(scope);
    },

    /** All that could be claimed now, the most urgent first. */
    async ready(scope: TaskScope, page: ReadyPage): Promise<TaskWithDependencies[]> {
      await releaseDue();
      return withDependencies(db, await listReady(db, scope, page));
    },

    /** The keys of what these tasks depend on, by id. */
    keysOf: (tasks: readonly { id: number }[]): Promise<Map<number, string>> => dependencyKeys(db, tasks),

    why: (scope: TaskScope): Promise<WaitingReasons> => countWaiting(db, scope),

    updateStatus: (update: StatusUpdate, actor: Actor): Promise<TaskWithDependencies> =>
      db.transaction(async (sql) => one(await withDependencies(sql, [await updateStatus(sql, update, actor, clock)]))),

    edit: (task: TaskReference, edit: TaskEdit, actor: Actor): Promise<TaskWithDependencies> =>
      db.transaction(async (sql) =>
        one(await withDependencies(sql, [await editTask(sql, task, edit, changeBy(actor))])),
      ),

    get: async (reference: TaskReference): Promise<TaskDetail> =>
      taskDetail(db, await findTask(db, reference), clock.now()),

    async list(filter: TaskFilter): Promise<TaskWithDependencies[]> {
      const tasks = await listTasks(db, filter);
      if (tasks.length === 0) await orUnknownGoal(filter);
      return tasks;
    },

    /** Takes back lapsed claims. */
    lapse: (): Promise<number[]> => db.transaction((sql) => lapseClaims(sql, clock)),
  };
}

async function taskDetail(sql: Sql, row: TaskRow, now: number): Promise<TaskDetail> {
  const neighbours = await sql.all<{ side: 'before' | 'after'; id: number }>(
    `select 'before' as side, depends_on as id from task_dependencies where task_id = ?
     union all
     select * from (select 'after' as side, task_id as id from task_dependencies where depends_on = ? limit 200) followers
     order by id`,
    row.id,
    row.id,
  );
  const idsOf = (side: 'before' | 'after') => neighbours.flatMap((one) => (one.side === side ? one.id : []));
  const task = toTask(row);
  const isPending = row.status === 'pending';
  return {
    ...task,
    dependencies: idsOf('before'),
    dependents: idsOf('after'),
    isReady: isReady(task, now),
    waitsBecause: isPending && !isReady(task, now) ? await explainWaiting(sql, row) : undefined,
  };
}

async function claimedTask(sql: Sql, row: TaskRow): Promise<ClaimedTask> {
  const dependencyResults = await sql.all<DependencyResult>(
    `select t.id, t.title, t.status, t.result from task_dependencies d join tasks t on t.id = d.depends_on
     where d.task_id = ? order by t.id`,
    row.id,
  );
  return { ...toTask(row), dependencies: dependencyResults.map((dependency) => dependency.id), dependencyResults };
}

function one<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error('A row that was just written is gone.');
  return item;
}
