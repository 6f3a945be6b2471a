import { z } from 'zod';
import { RuntimeError } from '../../base/errors.js';
import { readCosts } from '../../core/overview/costs.js';
import { readDurations } from '../../core/overview/durations.js';
import { readGoalTimeline, readRelayTimeline, readWorkTimeline } from '../../core/overview/timeline.js';
import { readTrends } from '../../core/overview/trends.js';
import { defineTool } from '../../tools/call/define-tool.js';
import { goalId } from '../../tools/call/fields.js';
import { metricsOutput, showMetrics } from '../../tools/shapes/metrics.js';
import { costs, showCosts } from './costs.js';
import { showTimeline, timeline } from './timeline.js';
import { showTrends, trends } from './trends.js';

const usualMinutes = 360;

/** The input of a read of a range of time: how far back from now, or from when to when. */
export const rangeInput = (byDefault: number) => ({
  window_minutes: z.int().min(5).max(43_200).default(byDefault).describe(`How far back; ${byDefault} unless given.`),
  from: z.iso.datetime({ offset: true }).optional().describe('Where the range begins, instead of a window.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Where it ends; now unless given.'),
});

const stretchesInput = z.int().min(1).max(120).default(60).describe('In how many parts; 60 unless given.');

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

  defineTool({
    name: 'trends',
    title: 'The runtime over time',
    effect: 'read',
    description: 'Jobs, tasks, times, tokens and the length of the queue, in equal stretches of a range.',
    input: z.strictObject({ ...rangeInput(60), stretches: stretchesInput }),
    output: trends,
    handler: async ({ stretches: count, ...asked }, { runtime: { db, clock } }) => {
      const now = clock.now();
      const range = rangeOf(asked, now);
      const window = { windowMs: range.to - range.from, count, now, to: range.to };
      const [intervals, durations] = await Promise.all([
        readTrends(db, window),
        readDurations(db, { ...range, count }),
      ]);
      return showTrends(range, intervals, durations);
    },
  }),

  defineTool({
    name: 'costs',
    title: 'What jobs have cost',
    effect: 'read',
    description: 'The cost of the jobs that ended in a range: in equal stretches, by model, and by goal.',
    input: z.strictObject({ ...rangeInput(60), stretches: stretchesInput }),
    output: costs,
    handler: async ({ stretches: count, ...asked }, { runtime: { db, clock } }) =>
      showCosts(await readCosts(db, { ...rangeOf(asked, clock.now()), count })),
  }),

  defineTool({
    name: 'metrics',
    title: 'Figures of a range of time',
    effect: 'read',
    description: 'What get_metrics says, of a range that need not end now. The queue is that of now.',
    input: z.strictObject(rangeInput(60)),
    output: metricsOutput,
    handler: async (asked, { runtime: { metrics, clock } }) => {
      const { from, to } = rangeOf(asked, clock.now());
      return showMetrics(await metrics.summary(to - from, to));
    },
  }),
];
