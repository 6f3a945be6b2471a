import { z } from 'zod';
import type { Actor } from '../core/actor.js';
import { countEvents, eventSubjects, listEvents } from '../core/events/events.js';
import { readOverview } from '../core/overview/overview.js';
import type { Runtime } from '../runtime.js';
import { describeSelf } from '../services/describe-self.js';
import { defineTool } from './call/define-tool.js';
import { cursor, limit, rowId, time, toMs } from './call/fields.js';
import { fromCursor, pagedList, pageOutput } from './call/page.js';
import { eventOutput, showEvent } from './shapes/event.js';
import { showOverview, statusOutput } from './shapes/overview.js';

/** The runtime itself: its status, its log of changes, and its backups. */
export const systemTools = [
  defineTool({
    name: 'runtime_status',
    title: 'Get runtime status',
    effect: 'read',
    isEntry: true,
    description:
      'Call this first in a session and after a compaction: what you hold, unread results, what others do, why tasks wait, what to do next.',
    input: z.strictObject({}),
    output: statusOutput,
    handler: async (_, { runtime, actor, sessionId, sample }) => {
      const self = await describeSelf(runtime);
      const planner = sample ? "the client's model" : self.planner;
      return showOverview(await readOverview(runtime, actor, sessionId), actor, { ...self, planner });
    },
  }),

  defineTool({
    name: 'get_events',
    title: 'Get events',
    effect: 'read',
    description: 'Lists changes, newest first; with subject and subject_id the history of one thing.',
    input: z.strictObject({
      subject: z.enum(eventSubjects).optional().describe('Only changes of this kind of thing.'),
      subject_id: z
        .union([rowId, z.string().max(200)])
        .optional()
        .describe('Only of the one with this id, or key of a task; needs subject.'),
      since: time.optional(),
      limit: limit(20),
      cursor,
    }),
    output: pageOutput('events', eventOutput.partial({ subject: true, subject_id: true })),
    handler: async (input, { runtime, actor }) => {
      const filter = {
        subject: input.subject,
        subjectId: await subjectIdOf(input, runtime, actor),
        since: toMs(input.since),
        beforeId: fromCursor(input.cursor),
      };
      return pagedList('events', input, {
        byDefault: 20,
        read: (limit) => listEvents(runtime.db, { ...filter, limit }),
        total: () => countEvents(runtime.db, filter),
        show: showEvent,
        placeOf: ({ id }) => id,
        shared: ['subject', 'subject_id', 'actor'],
      });
    },
  }),

  defineTool({
    name: 'backup_database',
    title: 'Back up the database',
    effect: 'write',
    description: 'Writes a consistent copy of the database into the backup directory, and returns its path.',
    input: z.strictObject({
      path: z.string().min(1).max(4_000).optional().describe('Such as before-merge.db.'),
    }),
    output: z.strictObject({ path: z.string(), size_bytes: z.int() }),
    handler: async (input, { runtime }) => {
      const { path, sizeBytes } = await runtime.maintenance.backupAs(input.path);
      return { path, size_bytes: sizeBytes };
    },
  }),
];

/** The id that events have: a task may be named by its key. */
async function subjectIdOf(
  { subject, subject_id: id }: EventQuery,
  { tasks }: Runtime,
  actor: Actor,
): Promise<string | undefined> {
  if (id === undefined || subject !== 'task' || !/\D/.test(String(id))) return id?.toString();
  return String((await tasks.idOfKey(String(id), actor)) ?? id);
}

interface EventQuery {
  subject?: string | undefined;
  subject_id?: string | number | undefined;
}
