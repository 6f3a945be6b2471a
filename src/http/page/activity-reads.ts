import { z } from 'zod';
import { eventSubjects } from '../../core/events/event-types.js';
import { readActivity, readActors } from '../../core/overview/activity.js';
import { addNote } from '../../core/tasks/add-note.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { cursor, goalId, taskReference, time, toMs } from '../../tools/call/fields.js';
import { fromCursor } from '../../tools/call/page.js';
import { activityPage, tellEvents } from './activity/activity.js';
import { names, showNames } from './names.js';

/** What has happened, told to people. Models read `get_events`. */
export const activityReads = [
  defineTool({
    name: 'activity',
    title: 'What has happened',
    effect: 'read',
    description: 'Changes as sentences, newest first.',
    input: z.strictObject({
      kind: z
        .enum([...eventSubjects, 'worktree'])
        .optional()
        .describe('Only changes of this kind of thing.'),
      subject_id: z.string().min(1).max(400).optional().describe('Only of the one with this id; needs kind.'),
      type: z.string().min(1).max(100).optional().describe('Only of this type, such as note.'),
      actor: z.string().min(1).max(400).optional().describe('Only by whom records name so, such as user:owner.'),
      goal_id: goalId.optional(),
      text: z.string().max(200).optional().describe('Only what has all of these words.'),
      since: time.optional(),
      limit: z.int().min(1).max(200).default(50).describe('At most this many; 50 unless given.'),
      cursor,
    }),
    output: activityPage,
    handler: async (input, { runtime: { db } }) => {
      const { kind, subject_id: subjectId, type, actor, goal_id, text, since, limit } = input;
      const { events, nextBeforeId } = await readActivity(db, {
        kind,
        subjectId,
        type,
        actor,
        goalId: goal_id,
        text: text === '' ? undefined : text,
        since: toMs(since),
        beforeId: fromCursor(input.cursor),
        limit,
      });
      const told = await tellEvents(db, events);
      return { ...told, ...(nextBeforeId === undefined ? {} : { next_cursor: String(nextBeforeId) }) };
    },
  }),

  defineTool({
    name: 'add_note',
    title: 'Add a note to a task',
    effect: 'write',
    description: 'Adds a note to the history of a task, whoever has claimed it.',
    input: z.strictObject({
      task_id: taskReference,
      note: z.string().trim().min(1).max(4_000).describe('What to note.'),
    }),
    output: z.strictObject({ task_id: z.int() }),
    handler: ({ task_id, note }, { runtime: { db, clock }, actor }) =>
      db.transaction(async (sql) => ({ task_id: await addNote(sql, task_id, note, { at: clock.now(), actor }) })),
  }),

  defineTool({
    name: 'actors',
    title: 'Who has done something',
    effect: 'read',
    description: 'Who has made the newest changes, as records name them, and their names.',
    input: z.strictObject({}),
    output: z.strictObject({ actors: z.array(z.string()), names }),
    handler: async (_, { runtime: { db } }) => {
      const actors = await readActors(db);
      return { actors, ...(await showNames(db, actors)) };
    },
  }),
];
