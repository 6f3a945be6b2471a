import type { EpochMs } from '../../base/clock.js';
import type { Database } from '../../store/sql.js';
import type { Fragment } from '../../store/where.js';
import { recordEvent } from '../events/events.js';
import { isOfNothingOpen } from '../events/purge-events.js';
import { webhookSubject } from './event-targets.js';

/** How much longer than others an event is kept for a target that has not got it yet. */
export const longestHoldMs = 7 * 86_400_000;

/**
 * A condition on events that may be purged, which keeps those that a target still waits for, and the last one it has got,
 * by which it finds its place; but none for longer than `longestHoldMs` behind `before`. What a target loses by that is
 * counted and noted.
 */
export async function purgeableForTargets(db: Database, before: EpochMs, at: EpochMs): Promise<Fragment | undefined> {
  const targets = await db.all<{ id: string; name: string; kind: string; cursor_id: number }>(
    "select id, name, kind, cursor_id from event_targets where status = 'active'",
  );
  if (targets.length === 0) return undefined;
  const limit = before - longestHoldMs;
  const { isBehind, isReadable } = db.eventOrder;
  // An event that cannot be read yet, because an earlier transaction is still open, has been got by nobody.
  const isAwaited = `(not (${isReadable}) or (${isBehind}))`;
  for (const { id, name, kind, cursor_id } of targets) {
    const row = await db.get<{ count: number }>(
      `select count(*) as count from events where at < ? and ${isAwaited} and ${isOfNothingOpen}`,
      limit,
      cursor_id,
    );
    const lost = row?.count ?? 0;
    if (lost === 0) continue;
    await db.transaction(async (sql) => {
      await sql.run('update event_targets set lost = lost + ? where id = ?', lost, id);
      await recordEvent(sql, { at, ...webhookSubject, type: 'events_lost', data: { name, kind, events: lost } });
    });
  }
  const kept = targets.map(() => `(not ${isAwaited} and id <> ?)`);
  return {
    text: `(at < ? or (${kept.join(' and ')}))`,
    values: [limit, ...targets.flatMap(({ cursor_id }) => [cursor_id, cursor_id])],
  };
}

/** Deletes what was given up before a time. Resolves to the number. */
export const purgeDeliveries = (db: Database, before: EpochMs): Promise<number> =>
  db.run("delete from event_deliveries where status = 'dead' and updated_at < ?", before);
