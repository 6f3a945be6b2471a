import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { readGoalTimeline, readRelayTimeline, readWorkTimeline } from '../../core/overview/timeline.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { goalId } from '../../tools/call/fields.js';
import { showTimeline, timeline } from './timeline.js';

const usualMinutes = 360;

/** The input of a read of a range of time: how far back from now, or from when to when. */
export const rangeInput = (byDefault: number) => ({
  window_minutes: z.int().min(5).max(43_200).default(byDefault).describe(`How far back; ${byDefault} unless given.`),
  from: z.iso.datetime({ offset: true }).optional().describe('Where the range begins, instead of a window.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Where it ends; now unless given.'),
});

interface AskedRange {
  window_minutes: number;
  from?: string | undefined;
  to?: string | undefined;
}

/** The range that was asked for. Throws `invalid` for one that ends before it begins. */
export function rangeOf({ window_minutes, from, to }: AskedRange, now: number) {
  const end = to === undefined ? now : Date.parse(to);
  const start = from === undefined ? end - window_minutes * 60_000 : Date.parse(from);
  if (start < end) return { from: start, to: end };
  throw new RuntimeError(
    'invalid',
    `The range begins at ${new Date(start).toISOString()} and ends at ${new Date(end).toISOString()}.`,
    'Choose a beginning that is before the end.',
  );
}

/** What happened when, for the page's timelines. */
export const timeReads = [
  defineTool({
    name: 'timeline',
    title: 'Work in time',
    effect: 'read',
    description: 'Who worked on what from when to when: of all workers and jobs in a range, of a goal, or of a relay.',
    input: z.strictObject({
      goal_id: goalId.optional(),
      pipeline_id: z.string().min(1).max(100).optional().describe('Only the steps of this relay.'),
      ...rangeInput(usualMinutes),
    }),
    output: timeline,
    handler: async ({ goal_id, pipeline_id, ...asked }, { runtime: { db, clock } }) => {
      const now = clock.now();
      if (goal_id !== undefined) return showTimeline(await readGoalTimeline(db, goal_id), now);
      if (pipeline_id !== undefined) return showTimeline(await readRelayTimeline(db, pipeline_id), now);
      return showTimeline(await readWorkTimeline(db, rangeOf(asked, now)), now);
    },
  }),
];
