import type { Clock } from '../base/clock.js';
import { RuntimeError } from '../base/errors.js';
import type { Actor } from '../core/actor.js';
import type { Workers } from '../core/coordination/workers.js';
import {
  type BoardFilter,
  type BoardState,
  type BoardTask,
  readBoardList,
  readTasksById,
} from '../core/overview/board.js';
import type { Tasks } from '../core/tasks/tasks.js';
import type { Database } from '../store/sql.js';

/** What to do to each of many tasks. */
export type TaskChange =
  | { change: 'reopen' }
  | { change: 'cancel' }
  | { change: 'priority'; priority: number }
  /** null: out of its goal. */
  | { change: 'goal'; goalId: number | null };

/** Which tasks: named ones, or a page of those that a filter of the board shows, newest first. */
export type TaskChoice =
  | { ids: readonly number[] }
  | { filter: BoardFilter; state: BoardState | undefined; beforeId: number | undefined };

/** A later change that brings tasks back to what they were. */
export type Undo = TaskChange & { ids: number[] };

export interface ChangedTasks {
  done: number[];
  refused: { id: number; title: string; message: string }[];
  /** Empty where the store cannot bring back what was. */
  undo: Undo[];
  /** Of a filter: from where the next call goes on. */
  nextBeforeId: number | undefined;
}

export interface ChangeTasksNeeds {
  db: Database;
  clock: Clock;
  tasks: Pick<Tasks, 'edit' | 'updateStatus'>;
  workers: Pick<Workers, 'reset'>;
}

/** The most tasks of one call. */
export const mostChanged = 1_000;

/**
 * Changes many tasks, each in a transaction of its own: what is refused for one does not keep the others. A refusal is an
 * answer, not an error.
 */
export async function changeTasks(
  choice: TaskChoice,
  change: TaskChange,
  actor: Actor,
  needs: ChangeTasksNeeds,
): Promise<ChangedTasks> {
  const { found, missing, nextBeforeId } = await choose(choice, needs);
  const done: BoardTask[] = [];
  let refused: { task: BoardTask; message: string }[] = [];
  // One that is refused for the sake of another may be taken once that one is done.
  for (let left = inOrder(found, change); ; left = refused.map(({ task }) => task)) {
    const doneBefore = done.length;
    refused = [];
    for (const task of left) {
      const message = await refusalOf(() => changeOne(task, change, actor, needs));
      if (message === undefined) done.push(task);
      else refused.push({ task, message });
    }
    if (refused.length === 0 || done.length === doneBefore) break;
  }
  done.sort((one, other) => one.id - other.id);
  return {
    done: done.map(({ id }) => id),
    refused: [...missing, ...refused.map(({ task, message }) => ({ id: task.id, title: task.title, message }))],
    undo: await undoOf(done, change, needs),
    nextBeforeId,
  };
}

async function choose(choice: TaskChoice, { db, clock }: ChangeTasksNeeds) {
  if ('ids' in choice) {
    const found = await readTasksById(db, choice.ids);
    const known = new Set(found.map(({ id }) => id));
    const missing = choice.ids
      .filter((id) => !known.has(id))
      .map((id) => ({ id, title: '', message: `No task has id ${id}.` }));
    return { found, missing, nextBeforeId: undefined };
  }
  const { filter, state, beforeId } = choice;
  const page = {
    ...filter,
    ...(state === undefined ? {} : { state }),
    ...(beforeId === undefined ? {} : { beforeId }),
    limit: mostChanged,
  };
  const { tasks } = await readBoardList({ db, clock }, page);
  return { found: tasks, missing: [], nextBeforeId: tasks.length === mostChanged ? tasks.at(-1)?.id : undefined };
}

/** Those that wait are cancelled before what they wait for, so that no policy ends them in another way; else oldest first. */
function inOrder(tasks: readonly BoardTask[], { change }: TaskChange): BoardTask[] {
  return [...tasks].sort((one, other) => (change === 'cancel' ? other.id - one.id : one.id - other.id));
}

async function changeOne(
  { id, state }: BoardTask,
  change: TaskChange,
  actor: Actor,
  { tasks, workers }: ChangeTasksNeeds,
): Promise<unknown> {
  switch (change.change) {
    case 'priority':
      return tasks.edit(id, { priority: change.priority }, actor);
    case 'goal':
      return tasks.edit(id, { goalId: change.goalId }, actor);
    case 'cancel':
      if (state === 'cancelled') throw nothingToDo(`Task ${id} is cancelled already.`);
      return tasks.updateStatus({ task: id, status: 'cancelled' }, actor);
    case 'reopen':
      if (state === 'ready' || state === 'waiting') throw nothingToDo(`Task ${id} is open already.`);
      // One whose worker is gone is taken from it; one whose worker lives is not.
      if (state === 'in_progress') return workers.reset(id, actor);
      return tasks.updateStatus({ task: id, status: 'pending' }, actor);
  }
}

const nothingToDo = (message: string) => new RuntimeError('conflict', message, 'Nothing was changed.');

async function refusalOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof RuntimeError) return error.message;
    throw error;
  }
}

/** A claim that has ended, an outcome that was taken back and a project that was left cannot be brought back. */
async function undoOf(before: readonly BoardTask[], change: TaskChange, { db }: ChangeTasksNeeds): Promise<Undo[]> {
  const ids = before.map(({ id }) => id);
  if (ids.length === 0) return [];
  switch (change.change) {
    case 'cancel':
      return [{ change: 'reopen', ids }];
    case 'reopen':
      return before.every(({ state }) => state === 'cancelled') ? [{ change: 'cancel', ids }] : [];
    case 'priority':
      return [...grouped(before, ({ priority }) => priority)].map(([priority, group]) => ({
        change: 'priority',
        priority,
        ids: group,
      }));
    case 'goal': {
      const now = new Map((await readTasksById(db, ids)).map(({ id, project }) => [id, project]));
      const hasReturn = before.every(({ id, goalId, project }) => goalId !== null || now.get(id) === project);
      if (!hasReturn) return [];
      return [...grouped(before, ({ goalId }) => goalId)].map(([goalId, group]) => ({
        change: 'goal',
        goalId,
        ids: group,
      }));
    }
  }
}

function grouped<Key>(tasks: readonly BoardTask[], keyOf: (task: BoardTask) => Key): Map<Key, number[]> {
  const groups = new Map<Key, number[]>();
  for (const task of tasks) groups.set(keyOf(task), [...(groups.get(keyOf(task)) ?? []), task.id]);
  return groups;
}
