import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import {
  clockValues,
  type Lease,
  leaseFor,
  leaseHasLapsed,
  leaseIsShorter,
  leaseValues,
  lengthValues,
  looseLeaseMs,
  sessionLeaseMs,
} from '../lease.js';
import type { Processes } from '../ports.js';
import { looseHolder } from '../tasks/claim.js';
import { findTask } from '../tasks/task.js';
import { releaseClaim } from '../tasks/transitions.js';
import { endLostSessions } from './sessions.js';

export interface SlotRow {
  slot: number;
  worker_id: string;
  is_named: number;
  holder: string;
  session_id: string | null;
  task_id: number | null;
  claimed_at: number;
  heartbeat_at: number;
  lease_expires_at: number;
  lease_expires_tick: number;
  lease_boot_id: string;
}

/** A slot that a worker holds, or one that is free. */
export interface Slot {
  slot: number;
  workerId: string | null;
  taskId: number | null;
  /** Who holds it: a session, or a caller without one. */
  holder: string | null;
  heartbeatAt: number | null;
  leaseExpiresAt: number | null;
}

export interface SlotNeeds {
  db: Database;
  clock: Clock;
  /** How many slots all sessions share. */
  limit: number;
  /** Slots of sessions that have died since the last sweep are free at once. */
  processes: Processes;
}

export type Slots = ReturnType<typeof createSlots>;

/** The places at the board: how many workers may be at work at once, over all sessions. */
export function createSlots({ db, clock, limit, processes }: SlotNeeds) {
  return {
    /** The lowest free slot. A worker that holds one gets the same again. Throws `conflict`, naming the holders. */
    claim: (workerId: string | undefined, actor: SlotActor): Promise<Slot> =>
      db.transaction(async (sql) => {
        await lapseSlots(sql, clock);
        await endLostSessions(sql, { clock, processes });
        const held = workerId === undefined ? undefined : await findByWorker(sql, workerId, actor);
        if (!held) return toSlot(await insertSlot(sql, workerId, actor, limit, clock));
        // A resumed conversation is another process, and the slot must not end with the one before.
        await sql.run('update worker_slots set session_id = ? where slot = ?', actor.sessionId ?? null, held.slot);
        await renewSlot(sql, held.slot, actor, clock);
        return toSlot(await findSlot(sql, held.slot));
      }),

    /** Frees a slot; a task claimed from it goes back into the line. */
    release: (slot: number, actor: Actor, isForced: boolean): Promise<void> =>
      db.transaction(async (sql) => {
        const change: Change = { at: clock.now(), actor };
        const row = await findSlot(sql, slot, limit);
        if (!isForced) refuseForeignSlot(row, actor);
        await freeSlot(sql, row, change);
      }),

    /** Every slot, held or free. */
    async list(): Promise<Slot[]> {
      const held = new Map((await db.all<SlotRow>('select * from worker_slots')).map((row) => [row.slot, row]));
      const last = Math.max(limit, ...held.keys());
      return Array.from({ length: last }, (_, index) => {
        const row = held.get(index + 1);
        return row ? toSlot(row) : { ...freePlace, slot: index + 1 };
      });
    },

    /** Takes back slots whose lease is over. */
    lapse: (): Promise<number[]> => db.transaction((sql) => lapseSlots(sql, clock)),
  };
}

/** Who takes a slot, and the server process that keeps it alive, if there is one. */
export interface SlotActor extends Actor {
  sessionId: string | undefined;
}

const freePlace = { workerId: null, taskId: null, holder: null, heartbeatAt: null, leaseExpiresAt: null };

function toSlot(row: SlotRow): Slot {
  return {
    slot: row.slot,
    workerId: row.worker_id,
    taskId: row.task_id,
    holder: row.holder,
    heartbeatAt: row.heartbeat_at,
    leaseExpiresAt: row.lease_expires_at,
  };
}

async function findByWorker(sql: Sql, workerId: string, actor: Actor): Promise<SlotRow | undefined> {
  const row = await sql.get<SlotRow>('select * from worker_slots where worker_id = ?', workerId);
  if (!row || row.holder === (actor.holder ?? looseHolder(workerId))) return row;
  throw new RuntimeError(
    'conflict',
    `Worker ${workerId} already holds slot ${row.slot}, in another session (${row.holder}).`,
    'Choose another worker_id.',
  );
}

async function insertSlot(
  sql: Sql,
  workerId: string | undefined,
  actor: SlotActor,
  limit: number,
  clock: Clock,
): Promise<SlotRow> {
  const held = await sql.all<SlotRow>('select * from worker_slots order by slot');
  const taken = new Set(held.map((row) => row.slot));
  let slot = 1;
  while (taken.has(slot)) slot++;
  if (slot > limit) throw noSlot(held, limit);
  const now = clock.now();
  const row = await sql.get<SlotRow>(
    `insert into worker_slots (slot, worker_id, is_named, holder, session_id, claimed_at, heartbeat_at,
       lease_expires_at, lease_expires_tick, lease_boot_id)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning *`,
    slot,
    workerId ?? freeName(held, slot),
    Number(workerId !== undefined),
    actor.holder ?? looseHolder(workerId),
    actor.sessionId ?? null,
    now,
    now,
    ...leaseValues(slotLease(actor, clock)),
  );
  if (!row) throw new Error('An insert returned no row.');
  await recordEvent(sql, {
    at: now,
    actor,
    subject: 'slot',
    subjectId: slot,
    type: 'claimed',
    data: { worker_id: row.worker_id },
  });
  return row;
}

const slotLease = (actor: Actor, clock: Clock): Lease =>
  leaseFor(clock, actor.holder === null ? looseLeaseMs : sessionLeaseMs);

/** Whoever uses a slot shows that its worker lives. */
export async function renewSlot(sql: Sql, slot: number, actor: Actor, clock: Clock): Promise<void> {
  const lease = slotLease(actor, clock);
  await sql.run('update worker_slots set heartbeat_at = ? where slot = ?', clock.now(), slot);
  await sql.run(
    `update worker_slots set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ? where slot = ? and ${leaseIsShorter}`,
    ...leaseValues(lease),
    slot,
    ...lengthValues(lease),
  );
}

/** `worker-2` for slot 2, unless a worker has chosen that name for itself. */
function freeName(held: readonly SlotRow[], slot: number): string {
  const names = new Set(held.map((row) => row.worker_id));
  let name = `worker-${slot}`;
  while (names.has(name)) name += '-b';
  return name;
}

function noSlot(held: readonly SlotRow[], limit: number): RuntimeError {
  const holders = held.map((row) => `${row.slot}: ${row.worker_id} (${row.holder})`).join(', ');
  return new RuntimeError(
    'conflict',
    `No available worker slots: all ${limit} are held (${holders}).`,
    'Wait for one, release one of yours, or raise AGENT_RUNTIME_WORKER_SLOTS. A slot whose session is gone frees itself.',
  );
}

/** The row of a held slot. Throws `not_found` for one that is free or does not exist. */
export async function findSlot(sql: Sql, slot: number, limit?: number): Promise<SlotRow> {
  const row = await sql.get<SlotRow>('select * from worker_slots where slot = ?', slot);
  if (row) return row;
  const what =
    limit !== undefined && slot > limit
      ? `There is no worker slot ${slot}; slots are 1 to ${limit}.`
      : `Nobody holds worker slot ${slot}.`;
  throw new RuntimeError('not_found', what, 'Call get_workers to see the slots, or claim_worker_slot to take one.');
}

/** Slots of callers without a session have nobody to answer for them, so anyone may release or use them. */
export function refuseForeignSlot(row: SlotRow, actor: Actor): void {
  if (row.holder === actor.holder || row.holder.startsWith('loose:')) return;
  throw new RuntimeError(
    'conflict',
    `Slot ${row.slot} is held by ${row.worker_id} of another session (${row.holder}).`,
    'Call get_workers to find your own; release_worker_slot takes force: true if that worker is stuck.',
  );
}

export async function freeSlot(sql: Sql, row: SlotRow, change: Change): Promise<void> {
  if (row.task_id !== null) {
    const task = await findTask(sql, row.task_id);
    if (task.status === 'in_progress' && task.worker_slot === row.slot) await releaseClaim(sql, task, change);
  }
  await sql.run('delete from worker_slots where slot = ?', row.slot);
  const data = { worker_id: row.worker_id };
  await recordEvent(sql, { ...change, subject: 'slot', subjectId: row.slot, type: 'released', data });
}

async function lapseSlots(sql: Sql, clock: Clock): Promise<number[]> {
  const lapsed = await sql.all<SlotRow>(`select * from worker_slots where ${leaseHasLapsed}`, ...clockValues(clock));
  for (const row of lapsed) {
    await sql.run('update tasks set worker_slot = null where worker_slot = ? and id = ?', row.slot, row.task_id);
    await sql.run('delete from worker_slots where slot = ?', row.slot);
    const data = { worker_id: row.worker_id, held_by: row.holder };
    await recordEvent(sql, { at: clock.now(), subject: 'slot', subjectId: row.slot, type: 'lapsed', data });
  }
  return lapsed.map((row) => row.slot);
}
