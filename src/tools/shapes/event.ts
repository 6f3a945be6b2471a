import { z } from 'zod';
import type { Event } from '../../core/events/events.js';
import { iso, jsonObject } from '../call/fields.js';

/** A recorded change. */
export const eventOutput = z.strictObject({
  id: z.int(),
  at: z.string(),
  subject: z.string(),
  subject_id: z.string(),
  type: z.string(),
  actor: z.string().optional(),
  data: jsonObject.optional(),
});

export type ShownEvent = z.infer<typeof eventOutput>;

export function showEvent({ id, at, subject, subjectId, type, actor, data }: Event): ShownEvent {
  return {
    id,
    at: iso(at),
    subject,
    subject_id: subjectId,
    type,
    actor: actor ?? undefined,
    data: Object.keys(data).length === 0 ? undefined : data,
  };
}
