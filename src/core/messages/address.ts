import { RuntimeError } from '../../base/errors.js';
import { similarNames } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import { findGoal } from '../tasks/goal.js';
import type { Address } from './message.js';

/**
 * Whom a caller means by `to`: `all`, `user`, `goal:ID`, the name of a worker, a worker's slot (`slot:2` or `2`), or the id
 * of a session. Throws `not_found` for a goal, worker or session that does not exist, naming those that do.
 */
export async function findAddress(sql: Sql, to: string): Promise<Address> {
  const name = to.trim();
  if (name === 'all' || name === 'user') return { kind: name, id: '', goalId: null };
  const [, goal] = /^goal:\s*(\d{1,12})$/.exec(name) ?? [];
  if (goal !== undefined) return { kind: 'goal', id: '', goalId: (await findGoal(sql, Number(goal))).id };
  if (name.startsWith('goal:')) throw unclear(name);
  const [, slot] = /^(?:slot:)?(\d{1,4})$/.exec(name) ?? [];
  if (slot !== undefined) return findSlotAddress(sql, Number(slot));
  return (await findWorker(sql, name)) ?? (await findSession(sql, name)) ?? (await refuseUnknown(sql, name));
}

/** A worker that gave no name of its own is its session: another may have the slot and its name tomorrow. */
async function findSlotAddress(sql: Sql, slot: number): Promise<Address> {
  const row = await sql.get<HeldSlot>('select worker_id, is_named, holder from worker_slots where slot = ?', slot);
  if (row) return addressOfSlot(row);
  throw new RuntimeError('not_found', `Nobody holds worker slot ${slot}.`, 'Call get_workers to see who holds one.');
}

const toOne = (kind: 'worker' | 'session', id: string): Address => ({ kind, id, goalId: null });

interface HeldSlot {
  worker_id: string;
  is_named: number;
  holder: string;
}

function addressOfSlot({ worker_id, is_named, holder }: HeldSlot): Address {
  return is_named === 1 ? toOne('worker', worker_id) : toOne('session', holder);
}

/** A worker that holds a slot or a task, or that has sent a message and may be on its way back. */
async function findWorker(sql: Sql, name: string): Promise<Address | undefined> {
  const slot = await sql.get<HeldSlot>(
    'select worker_id, is_named, holder from worker_slots where worker_id = ?',
    name,
  );
  if (slot) return addressOfSlot(slot);
  const known = await sql.get<object>(
    `select 1 from tasks where worker_id = ? and status = 'in_progress'
     union all select 1 from messages where sender_worker = ? limit 1`,
    name,
    name,
  );
  return known ? toOne('worker', name) : undefined;
}

/** By its id, or by the holder that all processes of a conversation share; a conversation that holds something is known too. */
async function findSession(sql: Sql, name: string): Promise<Address | undefined> {
  const names = [name, `claude:${name}`, `session:${name}`];
  const row = await sql.get<{ holder: string }>(
    `select holder from sessions where holder in (?, ?, ?) or id = ?
     union all select holder from path_reservations where holder in (?, ?, ?)
     union all select claimed_by from tasks where claimed_by in (?, ?, ?) and status = 'in_progress' limit 1`,
    ...names,
    name,
    ...names,
    ...names,
  );
  return row && toOne('session', row.holder);
}

const mostNamed = 12;

async function refuseUnknown(sql: Sql, name: string): Promise<never> {
  const workers = await sql.all<{ name: string }>(
    `select worker_id as name from worker_slots
     union select worker_id from tasks where status = 'in_progress' and worker_id is not null`,
  );
  const sessions = await sql.all<{ name: string }>(
    'select distinct holder as name from sessions where ended_at is null order by holder',
  );
  const known = [...workers, ...sessions].map((row) => row.name);
  if (known.length === 0) throw unclear(name);
  const named = [...similarNames(name, known), ...known];
  throw new RuntimeError(
    'not_found',
    `There is no worker or session ${JSON.stringify(name)}.`,
    `Send to one of these, to goal:ID, all or user: ${[...new Set(named)].slice(0, mostNamed).join(', ')}.`,
  );
}

function unclear(name: string): RuntimeError {
  return new RuntimeError(
    'not_found',
    `${JSON.stringify(name)} is nobody to send to.`,
    'Pass all, user, goal:ID, the name or slot of a worker (get_workers), or the id of a session (runtime_status).',
  );
}
