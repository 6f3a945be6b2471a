import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Actor } from '../actor.js';
import { hasLapsed } from '../lease.js';
import { isoTime } from './ready.js';
import { type TaskRow, taskName } from './task.js';

/** What a caller shows to act on a claimed task: its session, or the token of the claim. */
export interface ClaimProof {
  actor: Actor;
  claimToken?: number | undefined;
}

/**
 * Checks that the caller holds the claim on a task, by the current token or by its session, and that the lease has not
 * expired. Throws `stale_claim`, or `already_claimed` with the holder and the time until which it is held.
 */
export function requireClaim(row: TaskRow, proof: ClaimProof, clock: Clock): void {
  refuseOldToken(row, proof);
  if (proof.claimToken === undefined && !isOwnClaim(row, proof)) throw heldByAnother(row);
  if (hasLapsed(row, clock)) {
    throw new RuntimeError(
      'stale_claim',
      `The claim on task ${taskName(row)} lapsed at ${isoTime(row.lease_expires_at)}; nothing was written.`,
      'Claim the task again if it is still free, then repeat this call with the new claim_token.',
    );
  }
}

/** Whether the caller's session made the latest claim. Never true without a session: such callers look all alike. */
export function isOwnClaim(row: TaskRow, { actor }: ClaimProof): boolean {
  return actor.holder !== null && actor.holder === row.claimed_by;
}

/** Throws `stale_claim` for any token but the latest, whoever shows it. */
export function refuseOldToken(row: TaskRow, { claimToken }: ClaimProof): void {
  if (claimToken === undefined || claimToken === row.claim_token) return;
  throw new RuntimeError(
    'stale_claim',
    `claim_token ${claimToken} of task ${taskName(row)} has been superseded (now ${row.claim_token}); nothing was written.`,
    'Another worker has claimed the task since. Call get_task to see its state, and claim_next_task for other work.',
  );
}

/** The job that has a claim: its lease is as good as endless, because the claim ends with the job. */
export function holdingJob(holder: string | null): string | undefined {
  return holder?.startsWith('job:') ? holder.slice('job:'.length) : undefined;
}

/** The `already_claimed` error of a claimed task. */
export function heldByAnother(row: TaskRow): RuntimeError {
  const jobId = holdingJob(row.claimed_by);
  if (jobId !== undefined) {
    return new RuntimeError(
      'already_claimed',
      `Task ${taskName(row)} is held by job ${jobId} until that job ends.`,
      `Call wait_for_tasks with ${jobId}, cancel_task to take the task from it, or claim_next_task for other work.`,
    );
  }
  const worker = row.worker_id === null ? '' : ` (worker ${row.worker_id})`;
  return new RuntimeError(
    'already_claimed',
    `Task ${taskName(row)} is held by ${row.claimed_by}${worker} until ${isoTime(row.lease_expires_at)}, unless it renews.`,
    'Call claim_next_task for other work, or pass the claim_token if the claim is yours.',
  );
}
