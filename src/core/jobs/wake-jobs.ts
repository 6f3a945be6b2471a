import type { Sql } from '../../store/sql.js';
import type { Change } from '../change.js';

/**
 * Makes the pending jobs that a breaker has postponed due now, because it has closed. Belongs in the transaction that
 * closes it; a runner that waits sees them, and the caller starts one where none does.
 */
export async function wakeBlockedJobs(sql: Sql, breakerId: string, { at }: Pick<Change, 'at'>): Promise<void> {
  await sql.run(
    `update jobs set run_at = ?, run_tick = 0, run_boot_id = null, blocked_by = null, updated_at = ?
     where status = 'pending' and blocked_by is not null
       and exists (select 1 from json_each(blocked_by) where value = ?)`,
    at,
    at,
    breakerId,
  );
}
