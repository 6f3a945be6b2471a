import type { JsonObject } from '../base/json.js';
import { type Pass, revokes } from '../core/access/pass.js';
import type { Event, EventSubject } from '../core/events/events.js';
import type { EventFeed, Subscriber } from '../mcp/event-feed.js';
import type { OpenVisits } from './open-visits.js';

export interface EventStreamNeeds {
  feed: EventFeed;
  visits: OpenVisits;
  pass: Pass;
  /** The last event that the client has seen. */
  afterId: number;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
  /** Called when the stream has ended, whoever ended it. */
  onEnd(): void;
}

/** With more unread bytes than this a client is sent nothing. */
const longestBacklogBytes = 1_000_000;
/** So many looks of the feed, and it has read nothing: it is disconnected. It reconnects and goes on where it was. */
const mostPauses = 25;
/** A sign of life that the page's own code can see, unlike a comment of the stream. */
const beatMs = 10_000;
const retryMs = 1_000;

/**
 * An endless answer of server-sent events (WHATWG HTML, server-sent events): each change as it is recorded. It ends with
 * the caller's token or browser session, and nothing that was recorded after the revocation is sent.
 */
export function eventStream({ feed, visits, pass, afterId, signal, onEnd }: EventStreamNeeds): Response {
  const encoder = new TextEncoder();
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        const ends: (() => void)[] = [];
        let hasEnded = false;
        let pauses = 0;
        let roomBefore = 0;
        const end = () => {
          if (hasEnded) return;
          hasEnded = true;
          for (const each of ends) each();
          try {
            controller.close();
          } catch {
            // The client has disconnected already.
          }
        };
        const subscriber: Subscriber = {
          isReady() {
            const room = controller.desiredSize ?? 0;
            pauses = room > Math.min(0, roomBefore) ? 0 : pauses + 1;
            roomBefore = room;
            if (pauses > mostPauses) end();
            return room > 0;
          },
          take(events) {
            const revokedAt = events.findIndex((event) => revokes(event, pass));
            const shown = revokedAt < 0 ? events : events.slice(0, revokedAt);
            if (shown.length > 0) send(shown.map(format).join(''));
            if (revokedAt >= 0) end();
            return revokedAt < 0;
          },
          end,
        };
        stop = end;
        // The position from which a client goes on that has seen no event yet.
        send(`retry: ${retryMs}\nid: ${afterId}\nevent: ready\ndata: {}\n\n`);
        const beat = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) send('event: beat\ndata: {}\n\n');
        }, beatMs).unref();
        signal.addEventListener('abort', end);
        ends.push(
          () => clearInterval(beat),
          () => signal.removeEventListener('abort', end),
          onEnd,
          visits.add(pass, end),
        );
        const unsubscribe = feed.subscribe(afterId, subscriber);
        if (hasEnded) unsubscribe();
        else ends.push(unsubscribe);
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
  subject: EventSubject;
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
