import type { EpochMs } from '../base/clock.js';
import { insertRow } from '../store/insert-row.js';
import type { Sql, Statement } from '../store/sql.js';
import { type Lease, leaseIsShorter, leaseValues, lengthValues } from './lease.js';

/**
 * A row of `worker_slots`: one of the places from which workers claim tasks, while it is held. The rows are written here,
 * below both of those who need them: `coordination/` hands slots out, and `tasks/` detaches a task when its claim ends.
 */
export interface SlotRow {
  slot: number;
  worker_id: string;
  /** 1 if the worker gave its own name. */
  is_named: number;
  holder: string;
  session_id: string | null;
  task_id: number | null;
  claimed_at: EpochMs;
  heartbeat_at: EpochMs;
  lease_expires_at: EpochMs;
  lease_expires_tick: number;
  lease_boot_id: string;
}

export type NewSlot = Pick<SlotRow, 'slot' | 'worker_id' | 'is_named' | 'holder' | 'session_id'>;

export function insertSlot(sql: Sql, slot: NewSlot, lease: Lease, at: EpochMs): Promise<SlotRow> {
  return insertRow<SlotRow>(sql, 'worker_slots', {
    ...slot,
    claimed_at: at,
    heartbeat_at: at,
    lease_expires_at: lease.expiresAt,
    lease_expires_tick: lease.expiresTick,
    lease_boot_id: lease.bootId,
  });
}

/** Gives a slot that was claimed without a name the name of the worker that uses it. */
export async function nameWorker(sql: Sql, slot: number, workerId: string): Promise<void> {
  await sql.run('update worker_slots set worker_id = ?, is_named = 1 where slot = ?', workerId, slot);
}

/** A resumed conversation is another process: the slot must not end with the session before. */
export async function attachSession(sql: Sql, slot: number, sessionId: string | undefined): Promise<void> {
  await sql.run('update worker_slots set session_id = ? where slot = ?', sessionId ?? null, slot);
}

export async function attachTask(sql: Sql, slot: number, taskId: number): Promise<void> {
  await sql.run('update worker_slots set task_id = ? where slot = ?', taskId, slot);
}

/** The slot of a task whose claim has ended stays with its worker, ready for another task. */
export async function detachTask(sql: Sql, taskId: number): Promise<void> {
  await sql.run('update worker_slots set task_id = null where task_id = ?', taskId);
}

/** Records that the worker of a slot is alive; a lease that is longer already stays as it is. */
export async function renewSlotLease(sql: Sql, slot: number, lease: Lease, at: EpochMs): Promise<void> {
  await sql.run('update worker_slots set heartbeat_at = ? where slot = ?', at, slot);
  await sql.run(
    `update worker_slots set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ? where slot = ? and ${leaseIsShorter}`,
    ...leaseValues(lease),
    slot,
    ...lengthValues(lease),
  );
}

/** Renews all slots of a holder. */
export async function renewSlotLeasesOf(sql: Sql, holder: string, lease: Lease, at: EpochMs): Promise<void> {
  await sql.send(
    `update worker_slots set heartbeat_at = ?, lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?
     where holder = ?`,
    at,
    ...leaseValues(lease),
    holder,
  );
}

export async function deleteSlot(sql: Sql, slot: number): Promise<void> {
  await sql.run('delete from worker_slots where slot = ?', slot);
}

export const deleteSlotsOfSession = (sessionId: string): Statement => ({
  text: 'delete from worker_slots where session_id = ?',
  values: [sessionId],
});

export async function deleteAllSlots(sql: Sql): Promise<void> {
  await sql.run('delete from worker_slots');
}
