import type { Event } from '../core/events/events.js';
import { toStreamed } from '../core/events/streamed-event.js';
import { type FollowNeeds, followEvents, longestBacklogBytes } from './follow-events.js';

export type { StreamedEvent } from '../core/events/streamed-event.js';

export interface EventStreamNeeds extends FollowNeeds {
  /** Aborted when the client has gone. */
  signal: AbortSignal;
  /** Called when the stream has ended, whoever ended it. */
  onEnd(): void;
}

/** A sign of life that the page's own code can see, unlike a comment of the stream. */
const beatMs = 10_000;
const retryMs = 1_000;

/** An endless answer of server-sent events (WHATWG HTML, server-sent events): each change as it is recorded. */
export function eventStream({ signal, onEnd, ...needs }: EventStreamNeeds): Response {
  const encoder = new TextEncoder();
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        // The position from which a client goes on that has seen no event yet.
        send(`retry: ${retryMs}\nid: ${needs.afterId}\nevent: ready\ndata: {}\n\n`);
        const beat = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) send('event: beat\ndata: {}\n\n');
        }, beatMs).unref();
        const leave = () => stop();
        signal.addEventListener('abort', leave);
        stop = followEvents(needs, {
          room: () => controller.desiredSize ?? 0,
          send: (events) => send(events.map(format).join('')),
          end() {
            clearInterval(beat);
            signal.removeEventListener('abort', leave);
            onEnd();
            try {
              controller.close();
            } catch {
              // The client has disconnected already.
            }
          },
        });
      },
      cancel: () => stop(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: longestBacklogBytes }),
  );
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  });
}

const format = (event: Event): string => `id: ${event.id}\ndata: ${JSON.stringify(toStreamed(event))}\n\n`;
