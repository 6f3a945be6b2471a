import { z } from 'zod';
import { defineTool } from './call/define-tool.js';
import { metricsOutput, showMetrics } from './shapes/metrics.js';

const usualWindowMinutes = 60;

/** Figures of what the runtime does. */
export const metricTools = [
  defineTool({
    name: 'get_metrics',
    title: 'Get metrics',
    effect: 'read',
    description: 'Returns rates, times, errors, utilization, the queue, and totals.',
    input: z.strictObject({
      window_minutes: z
        .int()
        .min(1)
        .max(43_200)
        .optional()
        .describe(`How far back to look, in minutes; ${usualWindowMinutes} unless given.`),
    }),
    output: metricsOutput,
    handler: async ({ window_minutes = usualWindowMinutes }, { runtime }) =>
      showMetrics(await runtime.metrics.summary(window_minutes * 60_000)),
  }),
];
