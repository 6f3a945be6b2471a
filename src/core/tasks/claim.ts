import type { Clock, EpochMs } from '../../base/clock.js';
import type { Sql, Statement, Value } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import {
  type Lease,
  leaseFor,
  leaseIsShorter,
  leaseValues,
  lengthValues,
  looseLeaseMs,
  sessionLeaseMs,
} from '../lease.js';
import { firstFree, readyNow, type TaskScope } from './ready.js';
import type { TaskRow } from './task.js';

/** Who a claim is held by, and until when. */
export interface Claimant {
  holder: string;
  workerId?: string | undefined;
  workerSlot?: number | undefined;
  lease: Lease;
}

/** What a caller may say about its claim. */
export interface ClaimOptions {
  workerId?: string | undefined;
  workerSlot?: number | undefined;
  /** How long the claim lasts if no heartbeat renews it. */
  leaseSeconds?: number | undefined;
}

/**
 * The claimant that a caller is. The claim of a session lasts at least until its next heartbeats are due; a claim that no
 * heartbeat renews lasts as long as was asked for.
 */
export function claimantFor(
  actor: Actor,
  { workerId, workerSlot, leaseSeconds }: ClaimOptions,
  clock: Clock,
): Claimant {
  const asked = leaseSeconds === undefined ? 0 : leaseSeconds * 1000;
  const isRenewed = actor.holder !== null && actor.hasHeartbeat !== false;
  const ms = isRenewed ? Math.max(asked, sessionLeaseMs) : asked || looseLeaseMs;
  return { holder: actor.holder ?? looseHolder(workerId), workerId, workerSlot, lease: leaseFor(clock, ms) };
}

/** The holder of a claim that was made without a session. */
export const looseHolder = (workerId: string | undefined): string => `loose:${workerId ?? 'caller'}`;

/** Claims the next ready task. Chooses and claims in one statement, so that no two callers get the same one. */
export async function claimNext(
  sql: Sql,
  scope: TaskScope,
  claimant: Claimant,
  change: Change,
): Promise<TaskRow | undefined> {
  const { text, values } = firstFree(scope);
  const row = await sql.get<TaskRow>(
    `update tasks set ${claimed} where id = (${text}) returning *`,
    ...claimValues(claimant, change.at),
    ...values,
  );
  if (row) await recordClaim(sql, row, change);
  return row;
}

/** Claims one task; resolves to `undefined` if it is not ready. */
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

function claimValues({ holder, workerId, workerSlot, lease }: Claimant, at: EpochMs): Value[] {
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

/** Extends a claim to `lease`; one that lasts longer already stays as it is. */
export async function renewClaim(sql: Sql, row: TaskRow, lease: Lease): Promise<void> {
  await sql.run(
    `update tasks set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ? where id = ? and ${leaseIsShorter}`,
    ...leaseValues(lease),
    row.id,
    ...lengthValues(lease),
  );
}

/** Extends all claims of a holder in the same way. */
export async function renewClaimsOf(sql: Sql, holder: string, lease: Lease): Promise<void> {
  await sql.send(
    `update tasks set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?
     where claimed_by = ? and status = 'in_progress' and ${leaseIsShorter}`,
    ...leaseValues(lease),
    holder,
    ...lengthValues(lease),
  );
}

/** Adds to the tokens that a task has used, as long as this claim on it is the current one; its goal's budget is not touched. */
export async function addTokensUsed(
  sql: Sql,
  taskId: number,
  claimToken: number | null,
  tokens: number,
): Promise<void> {
  await sql.run(
    "update tasks set tokens_used = tokens_used + ? where id = ? and claim_token = ? and status = 'in_progress'",
    tokens,
    taskId,
    claimToken,
  );
}

/** The task keeps its claim, but its worker's slot is gone. */
export async function detachSlot(sql: Sql, taskId: number, slot: number): Promise<void> {
  await sql.run('update tasks set worker_slot = null where id = ? and worker_slot = ?', taskId, slot);
}

/** The same for all slots of a session; they must still be there. */
export const detachSlotsOfSession = (sessionId: string): Statement => ({
  text: 'update tasks set worker_slot = null where id in (select task_id from worker_slots where session_id = ?)',
  values: [sessionId],
});
