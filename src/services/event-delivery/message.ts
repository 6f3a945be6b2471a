import { kindOf } from '../../core/event-targets/event-target.js';
import type { Event } from '../../core/events/events.js';
import { type StreamedEvent, toStreamed } from '../../core/events/streamed-event.js';

/** What a webhook is sent (Standard Webhooks 1.0.0, payload structure). */
export interface WebhookMessage {
  /** Such as `task.completed`. */
  type: string;
  /** When it happened, ISO 8601. */
  timestamp: string;
  data: StreamedEvent & {
    /** That it was too long to be sent whole: its `data` is empty then. */
    is_cut?: true;
  };
}

/** A longer message loses its event's `data`: receivers refuse what is too long. */
const mostBytes = 262_144;

export function messageOfEvent(event: Event): string {
  const streamed = toStreamed(event);
  const message: WebhookMessage = { type: kindOf(event), timestamp: streamed.at, data: streamed };
  const text = JSON.stringify(message);
  if (text.length <= mostBytes && Buffer.byteLength(text) <= mostBytes) return text;
  return JSON.stringify({ ...message, data: { ...streamed, data: {}, is_cut: true } } satisfies WebhookMessage);
}
