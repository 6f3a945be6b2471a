import type { Clock } from '../../base/clock.js';
import type { Sql } from '../../store/sql.js';
import { clockValues, leaseHasLapsed } from '../coordination/lease.js';
import { recordEvent } from '../events/events.js';
import type { Change } from './dependencies.js';
import type { TaskRow } from './task.js';
import { finishTask, freeSlotOf, unclaimed } from './update-status.js';

/**
 * Takes back every claim whose lease is over: the task is ready again with its attempt counted, or failed when that
 * was its last. Resolves to the ids. Any session may run it at any time; it changes nothing twice.
 */
export async function lapseClaims(sql: Sql, clock: Clock): Promise<number[]> {
  const rows = await sql.all<TaskRow>(
    `select * from tasks where status = 'in_progress' and ${leaseHasLapsed}`,
    ...clockValues(clock),
  );
  const change: Change = { at: clock.now() };
  for (const row of rows) await takeBack(sql, row, change);
  return rows.map((row) => row.id);
}

/** Ends a claim whose holder is gone. */
export async function takeBack(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  const holder = row.worker_id === null ? row.claimed_by : `${row.claimed_by} (worker ${row.worker_id})`;
  const data = { claim_token: row.claim_token, held_by: holder, attempt: row.attempts };
  await recordEvent(sql, { ...change, subject: 'task', subjectId: row.id, type: 'lapsed', data });
  if (row.attempts >= row.max_attempts) {
    const error = `Attempt ${row.attempts} of ${row.max_attempts} ended without a word from ${holder}.`;
    await finishTask(sql, row, 'failed', { error }, change);
    return;
  }
  await sql.run(`update tasks set ${unclaimed}, updated_at = ? where id = ?`, change.at, row.id);
  await freeSlotOf(sql, row);
}
