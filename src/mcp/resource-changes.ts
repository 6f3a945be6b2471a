import type { Log } from '../base/log.js';
import type { Event } from '../core/events/events.js';
import { listOpen, shownBy } from '../core/overview/addresses.js';
import type { Sql } from '../store/sql.js';
import type { EventFeed } from './event-feed.js';

/** What looks different after some events. */
export interface ResourceChanges {
  uris: ReadonlySet<string>;
  /** Whether a goal or job has come into the list of resources, or left it. */
  isListChanged: boolean;
}

export interface ResourceChangeNeeds {
  db: Pick<Sql, 'all'>;
  feed: EventFeed;
  log: Log;
}

/** As many as `resources/list` may show, and some that move up when others go. */
const mostCompared = 100;

/** Tells which resources have changed, by whomever, from now on. Resolves to the function that ends it. */
export async function followResources(
  { db, feed, log }: ResourceChangeNeeds,
  publish: (changes: ResourceChanges) => void,
): Promise<() => void> {
  let list = await openIds(db);
  let working: Promise<void> = Promise.resolve();

  async function look(events: readonly Event[]): Promise<void> {
    try {
      const uris = await urisOf(db, events);
      const before = list;
      if (events.some(({ subject }) => subject === 'goal' || subject === 'job')) list = await openIds(db);
      publish({ uris, isListChanged: list !== before });
    } catch (error) {
      log.warn('a change of resources could not be followed', { error });
    }
  }

  return feed.subscribe(await feed.newest(), {
    take(events) {
      working = working.then(() => look(events));
      return true;
    },
  });
}

async function openIds(db: Pick<Sql, 'all'>): Promise<string> {
  const open = await listOpen(db, undefined, mostCompared);
  return open.map(({ kind, id, name }) => `${kind} ${id} ${name}`).join('\n');
}

async function urisOf(db: Pick<Sql, 'all'>, events: readonly Event[]): Promise<Set<string>> {
  const uris = new Set<string>(['runtime://status']);
  const known = new Set<string>();
  for (const event of events) {
    if (event.subject === 'job') uris.add('metrics://summary');
    const key = `${event.subject} ${event.subjectId}`;
    if (known.has(key)) continue;
    known.add(key);
    for (const { kind, id } of await shownBy(db, event)) {
      // A key may hold what one client encodes and another does not.
      uris.add(`${kind}://${id}`).add(`${kind}://${encodeURIComponent(id)}`);
    }
  }
  return uris;
}
