import type { EpochMs } from '../base/clock.js';
import type { Database } from '../store/sql.js';

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
      // Done in the future, by a clock that was set right since: it must not rest until then.
      now,
    );
    return taken !== undefined;
  });
}
