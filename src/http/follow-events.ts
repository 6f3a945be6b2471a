import { type Pass, revokes } from '../core/access/pass.js';
import type { Event } from '../core/events/events.js';
import type { EventFeed } from '../mcp/event-feed.js';
import type { OpenVisits } from './open-visits.js';

export interface FollowNeeds {
  feed: EventFeed;
  visits: OpenVisits;
  pass: Pass;
  /** The last event that the client has seen. */
  afterId: number;
}

/** A connection on which a caller is told of events as they are recorded. */
export interface Follower {
  /** How many bytes it may still be sent; none or fewer while it has too many unread. */
  room(): number;
  send(events: readonly Event[]): void;
  /** Called once, when it is to hear nothing more. */
  end(why: EndReason): void;
}

/** `slow`: it has read nothing for long. */
export type EndReason = 'rights ended' | 'slow' | 'server ends' | 'left';

/** With more unread bytes than this a client is sent nothing. */
export const longestBacklogBytes = 1_000_000;
/** So many looks of the feed, and it has read nothing: it is disconnected. It reconnects and goes on where it was. */
const mostPauses = 25;

/**
 * Tells a caller of every event after a place, once and in order. It ends with the caller's token or browser session, and
 * nothing that was recorded after the revocation is sent; and with a caller who reads nothing.
 *
 * @returns ends it, as when the caller has left
 */
export function followEvents({ feed, visits, pass, afterId }: FollowNeeds, follower: Follower): () => void {
  const ends: (() => void)[] = [];
  let hasEnded = false;
  let pauses = 0;
  let roomBefore = 0;
  const end = (why: EndReason) => {
    if (hasEnded) return;
    hasEnded = true;
    for (const each of ends) each();
    follower.end(why);
  };
  ends.push(visits.add(pass, () => end('rights ended')));
  const unsubscribe = feed.subscribe(afterId, {
    isReady() {
      const room = follower.room();
      pauses = room > Math.min(0, roomBefore) ? 0 : pauses + 1;
      roomBefore = room;
      if (pauses > mostPauses) end('slow');
      return room > 0;
    },
    take(events) {
      const revokedAt = events.findIndex((event) => revokes(event, pass));
      const shown = revokedAt < 0 ? events : events.slice(0, revokedAt);
      if (shown.length > 0) follower.send(shown);
      if (revokedAt >= 0) end('rights ended');
      return revokedAt < 0;
    },
    end: () => end('server ends'),
  });
  if (hasEnded) unsubscribe();
  else ends.push(unsubscribe);
  return () => end('left');
}

/** Where a client goes on: behind the last event that it says it has seen, or with the next one. */
export async function placeOf(given: string | undefined, feed: EventFeed): Promise<number> {
  const newest = await feed.newest();
  // A place beyond the newest event is one of another database.
  return given !== undefined && /^\d{1,15}$/.test(given) ? Math.min(Number(given), newest) : newest;
}
