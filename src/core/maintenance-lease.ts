import type { Database } from '../store/sql.js';

/**
 * Takes a duty that somebody should do now and then for all: true for one caller in each period, over all processes.
 * Whoever takes it and fails leaves it to the next period.
 */
export async function takeMaintenanceLease(
  db: Database,
  name: string,
  periodMs: number,
  now: number,
): Promise<boolean> {
  return db.transaction(async (sql) => {
    const taken = await sql.get(
      `insert into duties (name, done_at) values (?, ?)
       on conflict (name) do update set done_at = excluded.done_at where duties.done_at <= ? returning name`,
      name,
      now,
      now - periodMs,
    );
    return taken !== undefined;
  });
}
