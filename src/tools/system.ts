import { z } from 'zod';
import { eventSubjects, listEvents } from '../core/events/events.js';
import { readOverview } from '../core/overview/overview.js';
import { describeSelf } from '../services/describe-self.js';
import { defineTool } from './call/define-tool.js';
import { cursor, iso, limit, time, toMs } from './call/fields.js';
import { fromCursor, rowsFor, toPage } from './call/page.js';
import { showOverview, statusOutput } from './shapes/overview.js';

/** The runtime itself: what is going on, what happened, and its safety copies. */
export const systemTools = [
  defineTool({
    name: 'runtime_status',
    title: 'See what is going on',
    effect: 'read',
    isEntry: true,
    description:
      'Call this first in a session and after a compaction: what you hold (tasks with their claim_token, slots, background ' +
      'work), results nobody has read, what all sessions are doing, why waiting tasks wait, which models are configured, ' +
      'where the database is, and what to do next.',
    input: z.strictObject({}),
    output: statusOutput,
    handler: async (_, { runtime, actor, sample }) => {
      const self = describeSelf(runtime);
      const planner = sample ? "the client's model" : self.planner;
      return showOverview(await readOverview(runtime, actor), actor, { ...self, planner });
    },
  }),

  defineTool({
    name: 'get_events',
    title: 'See what happened',
    effect: 'read',
    description:
      'The log of changes, newest first: who created, claimed, completed, lost or cancelled what, and why. With subject and ' +
      'subject_id the history of one thing, such as task 12.',
    input: z.strictObject({
      subject: z.enum(eventSubjects).optional().describe('Only changes of this kind of thing.'),
      subject_id: z.string().max(200).optional().describe('Only of the one with this id; needs subject.'),
      since: time.optional(),
      limit: limit(20),
      cursor,
    }),
    output: z.object({
      events: z.array(
        z.object({
          id: z.int(),
          at: z.string(),
          subject: z.string(),
          subject_id: z.string(),
          type: z.string(),
          actor: z.string().optional(),
          data: z.record(z.string(), z.unknown()).optional(),
        }),
      ),
      count: z.int(),
      next_cursor: z.string().optional(),
    }),
    handler: async (input, { runtime }) => {
      const wishes = { limit: input.limit, byDefault: 20 };
      const filter = {
        subject: input.subject,
        subjectId: input.subject_id,
        since: toMs(input.since),
        beforeId: fromCursor(input.cursor),
      };
      const events = await listEvents(runtime.db, { ...filter, limit: rowsFor(wishes) });
      const { items, ...rest } = toPage(
        events,
        wishes,
        (event) => ({
          id: event.id,
          at: iso(event.at),
          subject: event.subject,
          subject_id: event.subjectId,
          type: event.type,
          actor: event.actor ?? undefined,
          data: Object.keys(event.data).length === 0 ? undefined : event.data,
        }),
        (event) => event.id,
      );
      return { events: items, count: items.length, ...rest };
    },
  }),

  defineTool({
    name: 'backup_database',
    title: 'Back the database up',
    effect: 'write',
    description: 'Writes a consistent copy of the whole database while others go on working, and returns its path.',
    input: z.strictObject({
      path: z
        .string()
        .min(1)
        .max(4_000)
        .optional()
        .describe('A new file, absolute path; in the backup directory unless given.'),
    }),
    output: z.object({ path: z.string(), size_bytes: z.int() }),
    handler: async (input, { runtime }) => {
      const { path, sizeBytes } = await runtime.maintenance.backup(input.path);
      return { path, size_bytes: sizeBytes };
    },
  }),
];
