import type { StreamedEvent } from '../http/event-stream.js';

/** What is heard of the event stream. */
export interface StreamListener {
  /** It is up, and what follows comes after the event with this id. Also says again, at times, that it is up. */
  up(id: string): void;
  change(change: StreamedEvent, id: string): void;
  down(): void;
}

/** Twice the time between two signs of life of the server, and some. */
const silenceMs = 25_000;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/**
 * The server's event stream from the event after `place`, opened again for as long as it takes: the browser gives one up
 * for good after any answer but 200, and does not notice when the other side has gone silent. Returns the function that
 * ends it.
 */
export function openStream(place: string | undefined, listener: StreamListener): () => void {
  let lastId = place;
  let source: EventSource | undefined;
  let pauseMs = firstPauseMs;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    source = new EventSource(lastId === undefined ? '/api/events' : `/api/events?after=${lastId}`);
    source.addEventListener('ready', heard);
    source.addEventListener('beat', heard);
    source.addEventListener('message', (event) => {
      lastId = event.lastEventId || lastId;
      watch();
      listener.change(JSON.parse(event.data) as StreamedEvent, lastId ?? '');
    });
    // A dropped connection would be opened again by the browser; a refused one would not.
    source.addEventListener('error', again);
    watch();
  }

  function heard({ lastEventId }: MessageEvent): void {
    lastId = lastEventId || lastId;
    pauseMs = firstPauseMs;
    watch();
    listener.up(lastId ?? '');
  }

  function watch(): void {
    clearTimeout(timer);
    timer = setTimeout(again, silenceMs);
  }

  function again(): void {
    source?.close();
    clearTimeout(timer);
    listener.down();
    timer = setTimeout(open, pauseMs * (0.5 + Math.random() / 2));
    pauseMs = Math.min(longestPauseMs, 2 * pauseMs);
  }

  open();
  return () => {
    source?.close();
    clearTimeout(timer);
  };
}
