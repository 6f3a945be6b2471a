import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import {
  hasLapsed,
  type Lease,
  leaseFor,
  leaseIsShorter,
  leaseValues,
  lengthValues,
  looseLeaseMs,
  sessionLeaseMs,
} from '../lease.js';
import type { Claimant } from './claim-next.js';
import type { TaskRow } from './task.js';

export interface ClaimWishes {
  workerId?: string | undefined;
  workerSlot?: number | undefined;
  leaseSeconds?: number | undefined;
}

/**
 * Who a claim is held by and for how long: a session's is renewed by its heartbeat, and so at least as long as that
 * needs; one that nobody renews lives by the lease it asked for.
 */
export function claimantFor(actor: Actor, { workerId, workerSlot, leaseSeconds }: ClaimWishes, clock: Clock): Claimant {
  const asked = leaseSeconds === undefined ? 0 : leaseSeconds * 1000;
  const isRenewed = actor.holder !== null && actor.hasHeartbeat !== false;
  const ms = isRenewed ? Math.max(asked, sessionLeaseMs) : asked || looseLeaseMs;
  return { holder: actor.holder ?? looseHolder(workerId), workerId, workerSlot, lease: leaseFor(clock, ms) };
}

/** What a claim of a caller without a session is held under. */
export const looseHolder = (workerId: string | undefined): string => `loose:${workerId ?? 'caller'}`;

export interface ClaimProof {
  actor: Actor;
  claimToken?: number | undefined;
}

/**
 * Checks that the caller may act on a claimed task: it shows the current token, or its session holds the claim, and the
 * claim is still alive. Throws `stale_claim` or `already_claimed`, saying who holds it and until when.
 */
export function requireClaim(row: TaskRow, proof: ClaimProof, clock: Clock): void {
  refuseOldToken(row, proof);
  if (proof.claimToken === undefined && !isOwnClaim(row, proof)) throw heldByAnother(row);
  if (hasLapsed(row, clock)) {
    throw new RuntimeError(
      'stale_claim',
      `The claim on task ${row.id} lapsed at ${isoTime(row.lease_expires_at)}; nothing was written.`,
      'Claim the task again if it is still free, then repeat this call with the new claim_token.',
    );
  }
}

/** Whether the caller's session made the newest claim; callers without one cannot be told apart. */
export function isOwnClaim(row: TaskRow, { actor }: ClaimProof): boolean {
  return actor.holder !== null && actor.holder === row.claimed_by;
}

/** A token that is not the newest is refused, whoever shows it. */
export function refuseOldToken(row: TaskRow, { claimToken }: ClaimProof): void {
  if (claimToken === undefined || claimToken === row.claim_token) return;
  throw new RuntimeError(
    'stale_claim',
    `claim_token ${claimToken} of task ${row.id} has been superseded (now ${row.claim_token}); nothing was written.`,
    'Another worker has claimed the task since. Call get_task to see its state, and claim_next_task for other work.',
  );
}

export function heldByAnother(row: TaskRow): RuntimeError {
  const worker = row.worker_id === null ? '' : ` (worker ${row.worker_id})`;
  return new RuntimeError(
    'already_claimed',
    `Task ${row.id} is held by ${row.claimed_by}${worker} until ${isoTime(row.lease_expires_at)}, unless it renews.`,
    'Call claim_next_task for other work, or pass the claim_token if the claim is yours.',
  );
}

function isoTime(ms: number | null): string {
  return ms === null ? 'an unknown time' : new Date(ms).toISOString();
}

/** Makes a claim live as long as `lease`; one that is longer already stays as it is. */
export async function renewClaim(sql: Sql, row: TaskRow, lease: Lease): Promise<void> {
  await sql.run(
    `update tasks set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ? where id = ? and ${leaseIsShorter}`,
    ...leaseValues(lease),
    row.id,
    ...lengthValues(lease),
  );
}

/** Why a pending task cannot be claimed now, in words. */
export async function explainWaiting(sql: Sql, row: TaskRow): Promise<string | undefined> {
  if (row.unfinished_dependencies > 0) {
    const open = await sql.all<{ id: number; status: string }>(
      `select t.id, t.status from task_dependencies d join tasks t on t.id = d.depends_on
       where d.task_id = ? and d.state <> 'satisfied' order by t.id limit 10`,
      row.id,
    );
    const more = row.unfinished_dependencies > open.length ? ', ...' : '';
    return `It waits for ${open.map((task) => `task ${task.id} (${task.status})`).join(', ')}${more}.`;
  }
  if (row.is_held === 1) return `It is not to be started before ${isoTime(row.not_before)}.`;
  return undefined;
}

/** Adds to the tokens that a task has used, as long as this claim on it is the current one. */
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
