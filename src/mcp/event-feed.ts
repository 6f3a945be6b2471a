import type { Log } from '../base/log.js';
import { type Event, eventsAfter, newestEventId } from '../core/events/events.js';
import type { Database } from '../store/sql.js';

export interface Subscriber {
  /** Asked at each look of the feed: whether it can take events now. Until then they wait in the table. */
  isReady?(): boolean;
  /** Takes events, oldest first; false when it wants no more. */
  take(events: readonly Event[]): boolean;
  /** The feed has closed: nothing more will come. */
  end?(): void;
}

export interface EventFeed {
  /** The id of the newest event: where a subscriber without a position of its own starts. */
  newest(): Promise<number>;
  /** Gives a subscriber every event after `afterId`, past and future, each once. Returns the function that unsubscribes. */
  subscribe(afterId: number, subscriber: Subscriber): () => void;
  /** Ends every subscriber. */
  close(): void;
}

/** Other processes write too, so the table is polled. An empty poll takes some 20 microseconds. */
const pollMs = 200;
const pageSize = 500;

/** Polls the events table for all subscribers, and only while there are any. */
export function createEventFeed({ db, log }: { db: Database; log: Log }): EventFeed {
  const places = new Map<Subscriber, number>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let isClosed = false;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      const newest = await newestEventId(db);
      const ready = [...places].filter(([subscriber, place]) => place !== newest && (subscriber.isReady?.() ?? true));
      // Subscribers at the same position share one read.
      for (const place of new Set(ready.map(([, place]) => place))) {
        const here = ready.filter(([, at]) => at === place);
        await bringUp(
          here.map(([subscriber]) => subscriber),
          place,
        );
      }
    } catch (error) {
      log.warn('events could not be read', { error });
    } finally {
      isLooking = false;
    }
  }

  async function bringUp(subscribers: readonly Subscriber[], place: number): Promise<void> {
    const events = await eventsAfter(db, place, pageSize);
    const last = events.at(-1)?.id;
    if (last === undefined) return;
    for (const subscriber of subscribers) {
      // It may have left meanwhile, or while it took them.
      if (!places.has(subscriber)) continue;
      if (!subscriber.take(events)) leave(subscriber);
      else if (places.has(subscriber)) places.set(subscriber, last);
    }
  }

  function leave(subscriber: Subscriber): void {
    places.delete(subscriber);
    if (places.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    newest: () => newestEventId(db),
    subscribe(afterId, subscriber) {
      if (isClosed) {
        subscriber.end?.();
        return () => {};
      }
      places.set(subscriber, afterId);
      timer ??= setInterval(() => void look(), pollMs).unref();
      void look();
      return () => leave(subscriber);
    },
    close() {
      isClosed = true;
      clearInterval(timer);
      timer = undefined;
      const subscribers = [...places.keys()];
      places.clear();
      for (const subscriber of subscribers) subscriber.end?.();
    },
  };
}
