import { z } from 'zod';
import type { EventTarget } from '../../core/event-targets/event-target.js';
import { iso } from '../../tools/call/fields.js';

/** Where events go, as it is shown: of an address only what names the receiver, as the rest may let anyone send to it. */
export const eventTarget = z.strictObject({
  name: z.string(),
  kind: z.enum(['webhook', 'sink']),
  /** The host, of a webhook. */
  to: z.string().optional(),
  /** Patterns of kinds, of a webhook. */
  events: z.array(z.string()).optional(),
  project: z.string().optional(),
  goal: z.int().optional(),
  status: z.enum(['active', 'failing', 'disabled']),
  /** Why it is not well. */
  why: z.string().optional(),
  /** The id of the last event that was dealt with. */
  cursor: z.int(),
  delivered: z.int(),
  /** Events that were purged before it got them. */
  lost: z.int(),
  last_delivered_at: z.string().nullable(),
  created_at: z.string(),
});

export type ShownTarget = z.infer<typeof eventTarget>;

export const showTarget = (target: EventTarget): ShownTarget => ({
  name: target.name,
  kind: target.kind,
  ...(target.url === null ? {} : { to: new URL(target.url).host, events: [...target.events] }),
  ...(target.project === null ? {} : { project: target.project }),
  ...(target.goalId === null ? {} : { goal: target.goalId }),
  status: target.status === 'active' && target.failures > 0 ? 'failing' : target.status,
  ...whyOf(target),
  cursor: target.cursorId,
  delivered: target.delivered,
  lost: target.lost,
  last_delivered_at: iso(target.lastDeliveredAt),
  created_at: iso(target.createdAt),
});

function whyOf({ disabledWhy, failures, lastError }: EventTarget): { why?: string } {
  const why = disabledWhy ?? (failures > 0 ? lastError : null);
  return why === null ? {} : { why };
}
