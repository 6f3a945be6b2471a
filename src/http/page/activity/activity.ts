import { z } from 'zod';
import type { Event } from '../../../core/events/events.js';
import { readGoalsOfTasks } from '../../../core/overview/activity.js';
import type { Sql } from '../../../store/sql.js';
import { eventOutput, showEvent } from '../../../tools/shapes/event.js';
import { type Names, names, showNames } from '../names.js';
import { tones } from './sentence.js';
import { sentenceOf } from './sentences.js';

/** A change as a sentence: its pieces are texts, and references whose names come along. */
export const toldEvent = eventOutput.extend({
  tone: z.enum(tones),
  sentence: z.array(z.union([z.string(), z.strictObject({ of: z.string() })])),
  /** The goal of the task that it is about. */
  goal: z.string().optional(),
});

export type ToldEvent = z.infer<typeof toldEvent>;

/** `activity`: a page of changes, newest first. */
export const activityPage = z.strictObject({
  events: z.array(toldEvent),
  names,
  next_cursor: z.string().optional(),
});

export type ActivityPage = z.infer<typeof activityPage>;

/** Changes as sentences, with the names of all that they are about. */
export async function tellEvents(sql: Sql, events: readonly Event[]): Promise<{ events: ToldEvent[]; names: Names }> {
  const tasks = events.flatMap(({ subject, subjectId }) => (subject === 'task' ? [subjectId] : []));
  const goals = await readGoalsOfTasks(sql, tasks);
  const told = events.map((event): ToldEvent => {
    const { tone, parts } = sentenceOf(event);
    const goal = event.subject === 'task' ? goals.get(event.subjectId) : undefined;
    return { ...showEvent(event), tone, sentence: parts, goal: goal === undefined ? undefined : `goal:${goal}` };
  });
  const references = told.flatMap(({ sentence, goal }) => [
    goal,
    ...sentence.map((part) => (typeof part === 'string' ? undefined : part.of)),
  ]);
  return { events: told, ...(await showNames(sql, references)) };
}
