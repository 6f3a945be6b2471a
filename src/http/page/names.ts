import { z } from 'zod';
import { namedKinds, readNames } from '../../core/overview/names.js';
import type { Sql } from '../../store/sql.js';

/** What people call a thing or a caller, and the id that its address has. */
const shownName = z.strictObject({ kind: z.enum(namedKinds), id: z.string(), name: z.string() });

export type ShownName = z.infer<typeof shownName>;

/** `names`: names by reference, such as `task:8`, `job:ID` or the holder of a claim. */
export const names = z.record(z.string(), shownName);

export type Names = z.infer<typeof names>;

/** The names that an answer needs beside its rows, so that the page has no id to show until it has asked for them. */
export const withNames = { names: names.optional() };

/** Names of the references that are given; a plain word is the name of a worker, and needs none. */
export async function showNames(sql: Sql, references: Iterable<string | null | undefined>): Promise<{ names: Names }> {
  const wanted = [...references].filter((one) => typeof one === 'string' && one.includes(':'));
  return { names: Object.fromEntries(await readNames(sql, wanted as string[])) };
}

/** The references of the goals and callers of tasks. */
export const referencesOf = (tasks: readonly { goal_id?: number | undefined; worker?: string | undefined }[]) =>
  tasks.flatMap(({ goal_id, worker }) => [goal_id === undefined ? undefined : `goal:${goal_id}`, worker]);
