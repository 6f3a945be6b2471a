import type { EpochMs } from '../base/clock.js';
import type { Sql, Statement } from '../store/sql.js';
import { type Lease, leaseIsShorter, leaseValues, lengthValues } from './lease.js';

/**
 * A row of `path_reservations`: files that a session has for itself or reads with others. The rows are written here, below
 * both of those who need them: `coordination/` hands paths out, and `tasks/` frees those of a task that has ended.
 */
export interface PathRow {
  id: number;
  root: string;
  pattern: string;
  is_exclusive: number;
  reason: string;
  holder: string;
  task_id: number | null;
  created_at: EpochMs;
  lease_expires_at: EpochMs;
  lease_expires_tick: number;
  lease_boot_id: string;
}

export type NewPath = Pick<PathRow, 'root' | 'pattern' | 'is_exclusive' | 'reason' | 'holder' | 'task_id'>;

/** Reserves a path; one that the holder has already is brought up to date. */
export async function keepPath(sql: Sql, path: NewPath, lease: Lease, at: EpochMs): Promise<void> {
  await sql.run(
    `insert into path_reservations
       (root, pattern, is_exclusive, reason, holder, task_id, created_at, lease_expires_at, lease_expires_tick, lease_boot_id)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (root, pattern, holder) do update set is_exclusive = excluded.is_exclusive, reason = excluded.reason,
       task_id = excluded.task_id, lease_expires_at = excluded.lease_expires_at,
       lease_expires_tick = excluded.lease_expires_tick, lease_boot_id = excluded.lease_boot_id`,
    path.root,
    path.pattern,
    path.is_exclusive,
    path.reason,
    path.holder,
    path.task_id,
    at,
    ...leaseValues(lease),
  );
}

/** Renews all paths of a holder; no lease gets shorter. */
export async function renewPathLeasesOf(sql: Sql, holder: string, lease: Lease): Promise<void> {
  await sql.send(
    `update path_reservations set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?
     where holder = ? and ${leaseIsShorter}`,
    ...leaseValues(lease),
    holder,
    ...lengthValues(lease),
  );
}

export async function deletePath(sql: Sql, id: number): Promise<void> {
  await sql.run('delete from path_reservations where id = ?', id);
}

/** Frees the paths of a task whose claim has ended. */
export async function releasePathsOfTask(sql: Sql, taskId: number): Promise<void> {
  await sql.send('delete from path_reservations where task_id = ?', taskId);
}

/** Frees the paths of a session, unless another process of its conversation lives; the session's row must still be open. */
export const releasePathsOfSession = (sessionId: string): Statement => ({
  text: `delete from path_reservations where holder in (select holder from sessions where id = ?)
    and not exists (select 1 from sessions other
      where other.holder = path_reservations.holder and other.id <> ? and other.ended_at is null)`,
  values: [sessionId, sessionId],
});
