import type { Clock, EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { clockValues, type Lease, leaseFor, leaseHasLapsed, looseLeaseMs, sessionLeaseMs } from '../lease.js';
import type { Processes } from '../ports.js';
import { detachSlot, looseHolder } from '../tasks/claim.js';
import { findTask } from '../tasks/task.js';
import { releaseClaim } from '../tasks/transitions.js';
import { attachSession, deleteSlot, insertSlot, renewSlotLease, type SlotRow } from '../worker-slot.js';
import { endLostSessions, ensureSession } from './sessions.js';

/** A worker slot, held or free. */
export interface Slot {
  slot: number;
  workerId: string | null;
  taskId: number | null;
  /** The session that holds it, or the caller without one. */
  holder: string | null;
  heartbeatAt: EpochMs | null;
  leaseExpiresAt: EpochMs | null;
}

/** A slot with the name of the task in it. */
export interface ListedSlot extends Slot {
  /** The key of the task, if it has one. */
  taskKey: string | null;
}

export interface SlotNeeds {
  db: Database;
  clock: Clock;
  /** How many slots there are, for all sessions together. */
  limit: number;
  /** Finds dead sessions, whose slots are freed at once. */
  processes: Processes;
}

export type Slots = ReturnType<typeof createSlots>;

/** The worker slots: they limit how many workers are at work at once, over all sessions. */
export function createSlots({ db, clock, limit, processes }: SlotNeeds) {
  return {
    /** The lowest free slot; a worker that holds a slot gets that again. Throws `conflict`, naming the holders. */
    claim: (workerId: string | undefined, actor: SlotActor): Promise<Slot> =>
      db.transaction(async (sql) => {
        await lapseSlots(sql, clock);
        await endLostSessions(sql, { db, clock, processes });
        const { sessionId: id, holder } = actor;
        if (id !== undefined && holder !== null) {
          await ensureSession(sql, { id, holder, project: actor.project }, { clock, processes });
        }
        const held = workerId === undefined ? undefined : await findByWorker(sql, workerId, actor);
        if (!held) return toSlot(await takeFreeSlot(sql, workerId, actor, limit, clock));
        await attachSession(sql, held.slot, endsWith(actor));
        await renewSlot(sql, held.slot, actor, clock);
        return toSlot(await findSlot(sql, held.slot));
      }),

    /** Frees a slot. A task claimed from it is released. */
    release: (slot: number, actor: Actor, isForced: boolean): Promise<void> =>
      db.transaction(async (sql) => {
        const row = await findSlot(sql, slot, limit);
        if (!isForced) refuseForeignSlot(row, actor);
        await freeSlot(sql, row, { at: clock.now(), actor });
      }),

    /** Every slot, held or free. */
    async list(): Promise<ListedSlot[]> {
      const held = new Map((await db.all<ListedSlotRow>(listedSlots)).map((row) => [row.slot, row]));
      const last = Math.max(limit, ...held.keys());
      return Array.from({ length: last }, (_, index) => {
        const row = held.get(index + 1);
        return row ? { ...toSlot(row), taskKey: row.task_key } : { ...unheld, slot: index + 1 };
      });
    },

    /** Frees slots whose lease has expired. Resolves to their numbers. */
    lapse: (): Promise<number[]> => db.transaction((sql) => lapseSlots(sql, clock)),
  };
}

/** Who claims a slot, and the server process that keeps it alive, if there is one. */
export interface SlotActor extends Actor {
  sessionId: string | undefined;
}

/** The session with which a slot ends; without one it ends with its lease. */
const endsWith = ({ sessionId, comesBack }: SlotActor): string | undefined => (comesBack ? undefined : sessionId);

type ListedSlotRow = SlotRow & { task_key: string | null };

const listedSlots = 'select s.*, t.key as task_key from worker_slots s left join tasks t on t.id = s.task_id';

const unheld = { workerId: null, taskId: null, taskKey: null, holder: null, heartbeatAt: null, leaseExpiresAt: null };

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

async function takeFreeSlot(
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
  const at = clock.now();
  const row = await insertSlot(
    sql,
    {
      slot,
      worker_id: workerId ?? freeName(held, slot),
      is_named: Number(workerId !== undefined),
      holder: actor.holder ?? looseHolder(workerId),
      session_id: endsWith(actor) ?? null,
    },
    slotLease(actor, clock),
    at,
  );
  const data = { worker_id: row.worker_id };
  await recordEvent(sql, { at, actor, subject: 'slot', subjectId: slot, type: 'claimed', data });
  return row;
}

const slotLease = (actor: Actor, clock: Clock): Lease =>
  leaseFor(clock, actor.holder === null ? looseLeaseMs : sessionLeaseMs);

/** Using a slot shows that its worker is alive. */
export const renewSlot = (sql: Sql, slot: number, actor: Actor, clock: Clock): Promise<void> =>
  renewSlotLease(sql, slot, slotLease(actor, clock), clock.now());

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
    'Wait for one, release one of yours, or raise AGENT_RUNTIME_WORKER_SLOTS. The slots of a dead session are freed automatically.',
  );
}

/** The row of a held slot. Throws `not_found` for one that is free or does not exist. */
export async function findSlot(sql: Sql, slot: number, limit?: number): Promise<SlotRow> {
  const row = await sql.get<SlotRow>('select * from worker_slots where slot = ?', slot);
  if (row) return row;
  const what =
    limit !== undefined && slot > limit
      ? `There is no worker slot ${slot}; slots are 1 to ${limit}.`
      : `Worker slot ${slot} is not held by anyone.`;
  throw new RuntimeError('not_found', what, 'Call get_workers to see the slots, or claim_worker_slot to take one.');
}

/** Throws `conflict` for a slot of another session. Anyone may use or release the slots of callers without a session. */
export function refuseForeignSlot(row: SlotRow, actor: Actor): void {
  if (row.holder === actor.holder || row.holder.startsWith('loose:')) return;
  throw new RuntimeError(
    'conflict',
    `Slot ${row.slot} is held by ${row.worker_id} of another session (${row.holder}).`,
    'Call get_workers to find your own; release_worker_slot takes force: true if that worker is stuck.',
  );
}

async function freeSlot(sql: Sql, row: SlotRow, change: Change): Promise<void> {
  if (row.task_id !== null) {
    const task = await findTask(sql, row.task_id);
    if (task.status === 'in_progress' && task.worker_slot === row.slot) await releaseClaim(sql, task, change);
  }
  await deleteSlot(sql, row.slot);
  const data = { worker_id: row.worker_id };
  await recordEvent(sql, { ...change, subject: 'slot', subjectId: row.slot, type: 'released', data });
}

async function lapseSlots(sql: Sql, clock: Clock): Promise<number[]> {
  const lapsed = await sql.all<SlotRow>(`select * from worker_slots where ${leaseHasLapsed}`, ...clockValues(clock));
  for (const row of lapsed) {
    if (row.task_id !== null) await detachSlot(sql, row.task_id, row.slot);
    await deleteSlot(sql, row.slot);
    const data = { worker_id: row.worker_id, held_by: row.holder };
    await recordEvent(sql, { at: clock.now(), subject: 'slot', subjectId: row.slot, type: 'lapsed', data });
  }
  return lapsed.map((row) => row.slot);
}
