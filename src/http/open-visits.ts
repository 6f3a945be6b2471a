import type { Log } from '../base/log.js';
import type { Access } from '../core/access/access.js';
import { type Pass, revokes } from '../core/access/pass.js';
import type { EventFeed } from '../mcp/event-feed.js';

/** What stays open for a caller beyond one request: it ends with the caller's token or browser session. */
export interface OpenVisits {
  /** `end` is called when the pass is no longer good. Returns the function to call when it has ended by itself. */
  add(pass: Pass, end: () => void): () => void;
  close(): void;
}

export interface OpenVisitsNeeds {
  feed: EventFeed;
  access: Pick<Access, 'isGood'>;
  log: Log;
  /** How often every pass is looked at, beside the events of revocation: for an end that nobody has recorded. */
  checkMs?: number | undefined;
}

interface Visit {
  pass: Pass;
  end: () => void;
}

/** Follows the revocations only while somebody who can be revoked has something open. */
export function createOpenVisits({ feed, access, log, checkMs = 15_000 }: OpenVisitsNeeds): OpenVisits {
  const visits = new Set<Visit>();
  let watching: { ready: Promise<void>; stop(): void } | undefined;

  function watch() {
    let unsubscribe = () => {};
    let hasStopped = false;
    const checking = setInterval(() => [...visits].forEach((visit) => void check(visit)), checkMs).unref();
    const ready = (async () => {
      const place = await feed.newest();
      if (!hasStopped) unsubscribe = feed.subscribe(place, { take });
    })();
    return {
      ready,
      stop() {
        hasStopped = true;
        clearInterval(checking);
        unsubscribe();
      },
    };
  }

  function take(events: Parameters<Parameters<EventFeed['subscribe']>[1]['take']>[0]): boolean {
    for (const visit of [...visits]) if (events.some((event) => revokes(event, visit.pass))) leave(visit).end();
    return true;
  }

  /** It may have been revoked since the request was let in. A database that cannot be read now is asked again later. */
  async function check(visit: Visit): Promise<void> {
    try {
      if (!(await access.isGood(visit.pass)) && visits.has(visit)) leave(visit).end();
    } catch (error) {
      log.warn('a token could not be looked up', { token: visit.pass.name, error });
    }
  }

  function leave(visit: Visit): Visit {
    visits.delete(visit);
    if (visits.size === 0) {
      watching?.stop();
      watching = undefined;
    }
    return visit;
  }

  return {
    add(pass, end) {
      if (!isRevocable(pass)) return () => {};
      const visit = { pass, end };
      visits.add(visit);
      watching ??= watch();
      void watching.ready.catch(() => {}).then(() => check(visit));
      return () => void leave(visit);
    },
    close() {
      visits.clear();
      watching?.stop();
      watching = undefined;
    },
  };
}

/** The owner's own token is not in the database, and ends with the process that read it. */
function isRevocable({ tokenId, browserId }: Pass): boolean {
  return browserId !== undefined || (tokenId !== 'owner' && tokenId !== 'anyone');
}
