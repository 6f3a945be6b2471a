import type { Clock } from '../../base/clock.js';
import type { Sql, Value } from '../../store/sql.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { type Lease, leaseValues } from '../lease.js';
import { firstReady, readyNow, type TaskScope } from './ready.js';
import type { TaskRow } from './task.js';

export interface Claimant {
  holder: string;
  workerId?: string | undefined;
  workerSlot?: number | undefined;
  lease: Lease;
}

/** Chooses and claims in one statement, so that no two callers get the same task. */
export async function claimNext(
  sql: Sql,
  scope: TaskScope,
  claimant: Claimant,
  change: Change,
): Promise<TaskRow | undefined> {
  const { text, values } = firstReady(scope);
  const row = await sql.get<TaskRow>(
    `update tasks set ${claimed} where id = (${text}) returning *`,
    ...claimValues(claimant, change.at),
    ...values,
  );
  if (row) await recordClaim(sql, row, change);
  return row;
}

/** Claims one task if it is ready; resolves to nothing when it is not. */
export async function claimOne(sql: Sql, id: number, claimant: Claimant, change: Change): Promise<TaskRow | undefined> {
  const row = await sql.get<TaskRow>(
    `update tasks set ${claimed} where id = ? and ${readyNow} returning *`,
    ...claimValues(claimant, change.at),
    id,
  );
  if (row) await recordClaim(sql, row, change);
  return row;
}

const claimed = `status = 'in_progress', claimed_by = ?, worker_id = ?, worker_slot = ?, claim_token = claim_token + 1,
  attempts = attempts + 1, lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?,
  started_at = coalesce(started_at, ?), completed_at = null, updated_at = ?`;

function claimValues({ holder, workerId, workerSlot, lease }: Claimant, at: number): Value[] {
  return [holder, workerId ?? null, workerSlot ?? null, ...leaseValues(lease), at, at];
}

async function recordClaim(sql: Sql, row: TaskRow, change: Change): Promise<void> {
  await recordEvent(sql, {
    ...change,
    subject: 'task',
    subjectId: row.id,
    type: 'claimed',
    data: { claim_token: row.claim_token, worker_id: row.worker_id, attempt: row.attempts },
  });
}

/** Whether `releaseDueTasks` has something to do; cheap enough to ask before every read. */
export async function hasDueTasks(sql: Sql, clock: Clock): Promise<boolean> {
  const now = clock.now();
  const due = await sql.get(
    `select 1 where exists (select 1 from tasks where is_held = 1 and not_before <= ?)
       or exists (select 1 from tasks where ${isNewlyOverdue})`,
    now,
    now,
  );
  return due !== undefined;
}

/** Lets tasks whose `not_before` has come into the line, and marks those whose deadline has passed. */
export async function releaseDueTasks(sql: Sql, now: number): Promise<void> {
  await sql.run('update tasks set is_held = 0 where is_held = 1 and not_before <= ?', now);
  await sql.run(`update tasks set is_overdue = 1 where ${isNewlyOverdue}`, now);
}

const isNewlyOverdue =
  "deadline_at is not null and deadline_at <= ? and is_overdue = 0 and status in ('pending', 'in_progress')";
