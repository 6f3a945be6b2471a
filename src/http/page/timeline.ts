import { z } from 'zod';
import type { Timeline } from '../../core/overview/timeline.js';
import { iso } from '../../tools/call/fields.js';

/** `timeline`: spans of work, oldest first. Times are ISO 8601. */
export const timeline = z.strictObject({
  /** The server's time, up to which what runs has lasted. */
  now: z.string(),
  /** There were more spans than are told; the newest are. */
  cut: z.boolean(),
  spans: z.array(
    z.strictObject({
      /** Spans of one lane are drawn in one row. */
      lane: z.string(),
      kind: z.enum(['task', 'job', 'step']),
      id: z.string(),
      title: z.string(),
      state: z.string(),
      from: z.string(),
      to: z.string().nullable(),
      attempt: z.int().nullable(),
      error: z.string().nullable(),
    }),
  ),
});

export type ShownTimeline = z.infer<typeof timeline>;
export type ShownSpan = ShownTimeline['spans'][number];

export function showTimeline({ spans, isCut }: Timeline, now: number): ShownTimeline {
  return {
    now: iso(now),
    cut: isCut,
    spans: spans.map((span) => ({ ...span, from: iso(span.from), to: iso(span.to) })),
  };
}
