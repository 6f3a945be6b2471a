import type { StreamedEvent } from '../http/event-stream.js';
import { openStream, type StreamListener } from './stream.js';

/** What the tab with the stream tells the others, and what they ask it. */
type Said =
  | { kind: 'up'; id: string }
  | { kind: 'down' }
  | { kind: 'change'; id: string; change: StreamedEvent }
  | 'who';

const name = 'agent-runtime-events';
/** A tab that has heard nothing of the one with the stream for so long takes it for gone. */
const silenceMs = 15_000;
const beatMs = 5_000;

/**
 * One event stream for all tabs of a browser, because a browser opens six connections to a server at most, and with six
 * streams no other request would get through. The first tab to ask has the stream and tells the others; when it goes,
 * the next one opens its own. Returns the function that leaves.
 */
export function shareStream(place: () => string | undefined, listener: StreamListener): () => void {
  // Over plain HTTP from another machine a browser has no locks; a tab then has a stream of its own while it is seen.
  if (!('locks' in navigator) || !('BroadcastChannel' in globalThis)) return openStream(place(), listener);
  const channel = new BroadcastChannel(name);
  const leaving = new AbortController();
  const follower = follow(channel, listener);
  navigator.locks
    .request(name, { signal: leaving.signal }, async () => {
      follower.stop();
      const stop = lead(channel, place(), listener);
      await new Promise((resolve) => leaving.signal.addEventListener('abort', resolve));
      stop();
    })
    .catch(() => {})
    .finally(() => channel.close());
  return () => {
    follower.stop();
    leaving.abort();
  };
}

function lead(channel: BroadcastChannel, place: string | undefined, listener: StreamListener): () => void {
  let last: Said = { kind: 'down' };
  const say = (said: Said) => channel.postMessage(said);
  const close = openStream(place, {
    up(id) {
      last = { kind: 'up', id };
      say(last);
      listener.up(id);
    },
    change(change, id) {
      last = { kind: 'up', id };
      say({ kind: 'change', id, change });
      listener.change(change, id);
    },
    down() {
      last = { kind: 'down' };
      say(last);
      listener.down();
    },
  });
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data === 'who') say(last);
  };
  const beat = setInterval(() => say(last), beatMs);
  return () => {
    clearInterval(beat);
    close();
  };
}

function follow(channel: BroadcastChannel, listener: StreamListener): { stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => listener.down(), silenceMs);
  };
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data === 'who') return;
    watch();
    if (data.kind === 'change') listener.change(data.change, data.id);
    else if (data.kind === 'up') listener.up(data.id);
    else listener.down();
  };
  channel.postMessage('who' satisfies Said);
  watch();
  return {
    stop() {
      clearTimeout(timer);
      channel.onmessage = null;
    },
  };
}
