import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import { findKeyed, type TaskReference } from './task.js';

interface Batched {
  title: string;
  project: string;
  key?: string | undefined;
  dependencies?: readonly TaskReference[] | undefined;
  after?: readonly number[] | undefined;
}

/** Its dependencies on the board and by key, and the places of those in the batch. */
type Read<Task> = Task & { dependencies: TaskReference[]; after: number[] };

/**
 * The dependencies of a batch as the board takes them. Callers also name tasks of the batch by their title, or by their
 * place counted from 0: a 0 anywhere says so, since no task has that id. A key, in the batch or on the board, comes
 * before a title. Throws `invalid` for a place that is not in the batch, and for a title that several have.
 */
export async function readReferences<Task extends Batched>(sql: Sql, tasks: readonly Task[]): Promise<Read<Task>[]> {
  const byKey = new Map<string, number[]>();
  for (const [index, { key }] of tasks.entries()) {
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), index]);
  }
  const byTitle = new Map<string, number[]>();
  for (const [index, { title }] of tasks.entries()) {
    byTitle.set(plain(title), [...(byTitle.get(plain(title)) ?? []), index]);
  }
  const arePlaces = tasks.some(({ dependencies = [] }) => dependencies.some(isZero));

  async function placeOf(reference: TaskReference, project: string): Promise<number | undefined> {
    if (/^\d+$/.test(String(reference))) return arePlaces ? Number(reference) : undefined;
    const keyed = byKey.get(String(reference));
    // Of two tasks with one key, that of the same project is meant.
    if (keyed) return keyed.find((place) => tasks[place]?.project === project) ?? keyed[0];
    const named = byTitle.get(plain(String(reference)));
    if (!named || (await findKeyed(sql, String(reference), project))) return undefined;
    if (named.length > 1) throw sharedTitle(String(reference), named.length);
    return named[0];
  }

  const read: Read<Task>[] = [];
  for (const task of tasks) {
    const dependencies: TaskReference[] = [];
    const after = [...(task.after ?? [])];
    for (const reference of task.dependencies ?? []) {
      const place = await placeOf(reference, task.project);
      if (place === undefined) dependencies.push(reference);
      else if (place < tasks.length) after.push(place);
      else throw noSuchPlace(place, tasks.length);
    }
    read.push({ ...task, dependencies, after });
  }
  return read;
}

const isZero = (reference: TaskReference): boolean => Number(reference) === 0 && reference !== '';

const plain = (title: string): string => title.trim().toLowerCase();

function sharedTitle(title: string, count: number): RuntimeError {
  return new RuntimeError(
    'invalid',
    `${JSON.stringify(title)} is the title of ${count} tasks of this call.`,
    'Give each a key, and depend on that.',
  );
}

function noSuchPlace(place: number, count: number): RuntimeError {
  return new RuntimeError(
    'invalid',
    `This call has ${count} tasks, and none at place ${place}: with a 0 among the dependencies, all numbers are places counted from 0.`,
    'To depend on tasks of the board as well, give these tasks keys, and depend on the keys.',
  );
}
