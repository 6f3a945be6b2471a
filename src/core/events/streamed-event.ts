import type { JsonObject } from '../../base/json.js';
import type { Event, EventSubject } from './events.js';

/** An event as it leaves the program: one change. Times are ISO 8601. */
export interface StreamedEvent {
  id: number;
  at: string;
  subject: EventSubject;
  subject_id: string;
  type: string;
  project: string;
  actor: string | null;
  data: JsonObject;
}

export function toStreamed({ id, at, subject, subjectId, type, project, actor, data }: Event): StreamedEvent {
  return { id, at: new Date(at).toISOString(), subject, subject_id: subjectId, type, project, actor, data };
}
