import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { hasLapsed } from '../lease.js';
import type { Processes } from '../ports.js';
import { identityOf } from '../process-identity.js';
import { claimantFor, claimOne, looseHolder, renewClaim } from '../tasks/claim.js';
import { type ClaimProof, heldByAnother, isOwnClaim, refuseOldToken, requireClaim } from '../tasks/claim-proof.js';
import { explainWaiting, releaseDueTasks } from '../tasks/ready.js';
import { findTask, type Task, type TaskReference, type TaskRow, taskName, toTask } from '../tasks/task.js';
import { type ClaimedTask, toClaimedTask } from '../tasks/tasks.js';
import { finishTask, lapseClaims, releaseClaim, reopenTask, resetAbandoned } from '../tasks/transitions.js';
import { attachTask, nameWorker, type SlotRow } from '../worker-slot.js';
import { renewHoldings, type SessionRow } from './sessions.js';
import { findSlot, refuseForeignSlot, renewSlot } from './slots.js';

export interface WorkerNeeds {
  db: Database;
  clock: Clock;
  processes: Processes;
}

export interface WorkerClaim {
  task: TaskReference;
  workerId: string;
  slot: number;
}

export interface WorkerReport {
  task: TaskReference;
  workerId: string;
  status: 'completed' | 'failed';
  output?: string | undefined;
  error?: string | undefined;
  claimToken?: number | undefined;
}

/** How much a session holds. */
export interface Holdings {
  tasks: number;
  slots: number;
}

export type Workers = ReturnType<typeof createWorkers>;

/** Workers on the board: they claim tasks through slots, report on them, and release them. */
export function createWorkers({ db, clock, processes }: WorkerNeeds) {
  const changeBy = (actor: Actor): Change => ({ at: clock.now(), actor });

  return {
    /** Claims a ready task for the worker of a slot. Throws `conflict`, `already_claimed`, `not_found`. */
    claim: (claim: WorkerClaim, actor: Actor): Promise<ClaimedTask> =>
      db.transaction((sql) => claimForWorker(sql, claim, changeBy(actor), actor, clock)),

    /** Ends a task that the worker holds; the worker keeps its slot. Throws `stale_claim` for a claim that has ended. */
    report: (report: WorkerReport, actor: Actor): Promise<Task> =>
      db.transaction(async (sql) => {
        const row = await findTask(sql, report.task, actor.project);
        requireWorker(row, report, actor, clock);
        const outcome = { result: report.output, error: report.error };
        await finishTask(sql, row, report.status, outcome, changeBy(actor));
        return readTask(sql, row.id);
      }),

    /** Releases a claimed task unfinished; the attempt does not count. `isForced` releases the claim of another too. */
    release: (task: TaskReference, claimToken: number | undefined, actor: Actor, isForced = false): Promise<Task> =>
      db.transaction(async (sql) => {
        const row = await findTask(sql, task, actor.project);
        refuseOldToken(row, { actor, claimToken });
        refuseUnclaimed(row);
        if (!isForced) requireClaim(row, { actor, claimToken }, clock);
        await releaseClaim(sql, row, changeBy(actor));
        return readTask(sql, row.id);
      }),

    /** Makes a failed or cancelled task, or one whose holder is dead, ready again with all of its attempts. */
    reset: (task: TaskReference, actor: Actor): Promise<Task> =>
      db.transaction(async (sql) => {
        const row = await findTask(sql, task, actor.project);
        if (row.status === 'failed' || row.status === 'cancelled') await reopenTask(sql, row, changeBy(actor));
        else if (row.status !== 'in_progress') throw notToBeReset(row);
        else if (await isAbandoned(sql, row, { clock, processes })) await resetAbandoned(sql, row, changeBy(actor));
        else throw heldByAnother(row);
        return readTask(sql, row.id);
      }),

    /**
     * Renews what a caller holds: everything that its session holds, or the claim on one task. Resolves to how many tasks
     * and slots those are. Throws `invalid` if a caller without a session names no task, `stale_claim`, `already_claimed`.
     */
    heartbeat: (
      { task, claimToken }: { task?: TaskReference | undefined; claimToken?: number | undefined },
      actor: Actor,
    ): Promise<Holdings> =>
      db.transaction(async (sql) => {
        if (task !== undefined) return { tasks: await renewTask(sql, task, { actor, claimToken }, clock), slots: 0 };
        if (actor.holder === null) throw nothingToRenew();
        await renewHoldings(sql, actor.holder, clock);
        return countHoldings(sql, actor.holder);
      }),
  };
}

const readTask = async (sql: Sql, id: number): Promise<Task> => toTask(await findTask(sql, id));

async function claimForWorker(
  sql: Sql,
  { task: reference, workerId, slot }: WorkerClaim,
  change: Change,
  actor: Actor,
  clock: Clock,
): Promise<ClaimedTask> {
  await releaseDueTasks(sql, change.at);
  await lapseClaims(sql, clock);
  await takeSlot(sql, slot, workerId, actor);
  await renewSlot(sql, slot, actor, clock);
  const task = await findTask(sql, reference, actor.project);
  const claimant = claimantFor(actor, { workerId, workerSlot: slot }, clock);
  const claimed = await claimOne(sql, task.id, claimant, change);
  if (!claimed) throw await cannotBeClaimed(sql, task);
  await attachTask(sql, slot, task.id);
  return toClaimedTask(sql, claimed);
}

/** Checks that a worker may claim from a slot. A slot claimed without a name gets that of the first worker to use it. */
async function takeSlot(sql: Sql, slot: number, workerId: string, actor: Actor): Promise<void> {
  const row = await findSlot(sql, slot);
  refuseForeignSlot(row, actor);
  if (row.task_id !== null) {
    const task = await findTask(sql, row.task_id);
    throw new RuntimeError(
      'conflict',
      `Slot ${slot} is at work on task ${taskName(task)}.`,
      'Report on that task with update_task, or release it with release_task, first.',
    );
  }
  if (row.worker_id === workerId) return;
  if (row.is_named === 1) {
    throw new RuntimeError(
      'conflict',
      `Slot ${slot} is held by worker ${row.worker_id}, not by ${workerId}.`,
      'Call get_workers to find your slot.',
    );
  }
  const taken = await sql.get<Pick<SlotRow, 'slot'>>('select slot from worker_slots where worker_id = ?', workerId);
  if (taken) {
    throw new RuntimeError('conflict', `Worker ${workerId} holds slot ${taken.slot} already.`, 'Claim from that slot.');
  }
  await nameWorker(sql, slot, workerId);
}

async function cannotBeClaimed(sql: Sql, task: TaskRow): Promise<RuntimeError> {
  if (task.status === 'in_progress') return heldByAnother(task);
  const reason = (await explainWaiting(sql, task)) ?? `It is ${task.status}.`;
  return new RuntimeError(
    'conflict',
    `Task ${taskName(task)} cannot be claimed. ${reason}`,
    'Call get_available_tasks for tasks that can.',
  );
}

/** Checks that the worker that reports holds the claim, and that the lease has not expired. Throws `stale_claim`. */
function requireWorker(row: TaskRow, { workerId, claimToken }: WorkerReport, actor: Actor, clock: Clock): void {
  refuseOldToken(row, { actor, claimToken });
  if (row.status !== 'in_progress') {
    throw lostClaim(
      row,
      workerId,
      `it is ${row.status}`,
      row.status === 'pending'
        ? 'Your claim lapsed or was released: claim the task again first.'
        : 'Call get_task to see its result.',
    );
  }
  const isLoose = row.claimed_by === looseHolder(workerId);
  const isItsOwn = claimToken !== undefined || isLoose || isOwnClaim(row, { actor });
  if (row.worker_id !== workerId || !isItsOwn) {
    throw lostClaim(
      row,
      workerId,
      `${row.worker_id ?? 'an unnamed worker'} of ${row.claimed_by} has it`,
      'If the claim is yours, pass the claim_token that claim_task returned. Else call get_available_tasks for work.',
    );
  }
  requireClaim(row, { actor, claimToken: isLoose ? row.claim_token : claimToken }, clock);
}

function lostClaim(row: TaskRow, workerId: string, why: string, hint: string): RuntimeError {
  return new RuntimeError(
    'stale_claim',
    `Worker ${workerId} does not hold task ${taskName(row)}: ${why}. Nothing was written.`,
    hint,
  );
}

function refuseUnclaimed(row: TaskRow): void {
  if (row.status === 'in_progress') return;
  throw new RuntimeError(
    'conflict',
    `Task ${taskName(row)} is ${row.status}; there is no claim to release.`,
    'Call get_task to see its result.',
  );
}

function notToBeReset(row: TaskRow): RuntimeError {
  return new RuntimeError(
    'conflict',
    `Task ${taskName(row)} is ${row.status}; only a failed or cancelled task, or one whose worker is dead, can be reset.`,
    row.status === 'pending' ? 'It can be claimed as it is.' : 'Create a new task for further work.',
  );
}

/** Whether a claim has no one left who could finish it: its lease has expired, or all processes of its session are dead. */
async function isAbandoned(sql: Sql, row: TaskRow, { clock, processes }: Omit<WorkerNeeds, 'db'>): Promise<boolean> {
  if (hasLapsed(row, clock)) return true;
  const sessions = await sql.all<SessionRow>('select * from sessions where holder = ?', row.claimed_by);
  const isDead = (session: SessionRow) =>
    session.ended_at !== null || processes.liveness(identityOf(session)) === 'dead';
  return sessions.length > 0 && sessions.every(isDead);
}

async function renewTask(sql: Sql, task: TaskReference, proof: ClaimProof, clock: Clock): Promise<number> {
  const row = await findTask(sql, task, proof.actor.project);
  if (row.status !== 'in_progress') {
    throw new RuntimeError(
      'stale_claim',
      `Task ${taskName(row)} is ${row.status}; there is no claim to renew.`,
      'Call get_task to see its result, and claim it again if it is open.',
    );
  }
  requireClaim(row, proof, clock);
  await renewClaim(sql, row, claimantFor(proof.actor, {}, clock).lease);
  if (row.worker_slot !== null) await renewSlot(sql, row.worker_slot, proof.actor, clock);
  return 1;
}

function nothingToRenew(): RuntimeError {
  return new RuntimeError(
    'invalid',
    'This caller has no session, so it must say which claim to renew.',
    'Pass task_id and the claim_token of your claim.',
  );
}

async function countHoldings(sql: Sql, holder: string): Promise<Holdings> {
  const held = await sql.get<Holdings>(
    `select (select count(*) from tasks where claimed_by = ? and status = 'in_progress') as tasks,
       (select count(*) from worker_slots where holder = ?) as slots`,
    holder,
    holder,
  );
  return held ?? { tasks: 0, slots: 0 };
}
