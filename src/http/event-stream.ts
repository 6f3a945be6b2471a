import type { JsonObject } from '../base/json.js';
import type { Event } from '../core/events/events.js';
import type { EventFeed, Subscriber } from '../mcp/event-feed.js';

/** Unread bytes after which a client is disconnected. It reconnects and goes on where it was. */
const longestBacklogBytes = 1_000_000;
const keepAliveMs = 15_000;
const retryMs = 1_000;

/** An endless answer of server-sent events (WHATWG HTML, server-sent events): each change as it is recorded. */
export function eventStream(feed: EventFeed, afterId: number, signal: AbortSignal): Response {
  const encoder = new TextEncoder();
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        const subscriber: Subscriber = {
          take(events) {
            if ((controller.desiredSize ?? 0) <= 0) {
              end();
              return false;
            }
            send(events.map(format).join(''));
            return true;
          },
        };
        const unsubscribe = feed.subscribe(afterId, subscriber);
        const keepAlive = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) send(': still here\n\n');
        }, keepAliveMs);
        let hasEnded = false;
        const end = () => {
          if (hasEnded) return;
          hasEnded = true;
          clearInterval(keepAlive);
          unsubscribe();
          signal.removeEventListener('abort', end);
          try {
            controller.close();
          } catch {
            // The client has disconnected already.
          }
        };
        stop = end;
        signal.addEventListener('abort', end);
        // The position from which a client goes on that has seen no event yet.
        send(`retry: ${retryMs}\nid: ${afterId}\nevent: ready\ndata: {}\n\n`);
      },
      cancel: () => stop(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: longestBacklogBytes }),
  );
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  });
}

/** An event of the stream: one change. Times are ISO 8601. */
export interface StreamedEvent {
  id: number;
  at: string;
  subject: string;
  subject_id: string;
  type: string;
  project: string;
  actor: string | null;
  data: JsonObject;
}

function format(event: Event): string {
  const { id, at, subject, subjectId, type, project, actor, data } = event;
  const shown: StreamedEvent = {
    id,
    at: new Date(at).toISOString(),
    subject,
    subject_id: subjectId,
    type,
    project,
    actor,
    data,
  };
  return `id: ${id}\ndata: ${JSON.stringify(shown)}\n\n`;
}
