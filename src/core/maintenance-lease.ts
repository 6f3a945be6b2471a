import type { EpochMs } from '../base/clock.js';
import type { Database } from '../store/sql.js';

/** How much later another process may have read the clock before this one had the lock. */
const waitMs = 10_000;

/**
 * Decides which process does a periodic maintenance job: true for one caller in each period of `periodMs`, over all
 * processes. If that caller fails, the job is due again in the next period.
 */
export async function takeMaintenanceLease(
  db: Database,
  name: string,
  periodMs: number,
  now: EpochMs,
): Promise<boolean> {
  return db.transaction(async (sql) => {
    const taken = await sql.get(
      `insert into duties (name, done_at) values (?, ?)
       on conflict (name) do update set done_at = excluded.done_at
         where duties.done_at <= ? or duties.done_at > ? returning name`,
      name,
      now,
      now - periodMs,
      // Done well in the future, by a clock that was set right since: it must not rest until then.
      now + Math.min(periodMs, waitMs),
    );
    return taken !== undefined;
  });
}
