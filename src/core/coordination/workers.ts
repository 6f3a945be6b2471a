import type { Clock } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import { recordEvent } from '../events/events.js';
import { detachAllTasks } from '../jobs/board-task.js';
import { hasLapsed } from '../lease.js';
import type { Processes, ProcessIdentity } from '../ports.js';
import {
  claimantFor,
  explainWaiting,
  heldByAnother,
  isOwnClaim,
  looseHolder,
  refuseOldToken,
  renewClaim,
  requireClaim,
} from '../tasks/claim.js';
import { claimOne, releaseDueTasks } from '../tasks/claim-next.js';
import { lapseClaims } from '../tasks/lapse.js';
import { findTask, type TaskReference } from '../tasks/references.js';
import { type Task, type TaskRow, toTask } from '../tasks/task.js';
import { finishTask, releaseClaim, reopenTask, resetAbandoned } from '../tasks/transitions.js';
import { identityOf } from './identity-row.js';
import { renewHoldings, type SessionRow } from './sessions.js';
import { findSlot, refuseForeignSlot, renewSlot, type SlotRow } from './slots.js';

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

export type Workers = ReturnType<typeof createWorkers>;

/** Workers at the board: tasks claimed through slots, reported on, given back, and taken from the dead. */
export function createWorkers({ db, clock, processes }: WorkerNeeds) {
  const changeBy = (actor: Actor): Change => ({ at: clock.now(), actor });

  return {
    /** Claims a ready task for the worker of a slot. Throws `conflict`, `already_claimed`, `not_found`. */
    claim: (claim: WorkerClaim, actor: Actor): Promise<Task> =>
      db.transaction(async (sql) => {
        const change = changeBy(actor);
        await releaseDueTasks(sql, change.at);
        await lapseClaims(sql, clock);
        const slot = await seat(sql, claim, actor);
        await renewSlot(sql, slot.slot, actor, clock);
        const task = await findTask(sql, claim.task);
        const wishes = { workerId: claim.workerId, workerSlot: slot.slot };
        const claimed = await claimOne(sql, task.id, claimantFor(actor, wishes, clock), change);
        if (!claimed) throw await refusal(sql, task);
        await sql.run('update worker_slots set task_id = ? where slot = ?', task.id, slot.slot);
        return toTask(claimed);
      }),

    /** Ends a task that the worker holds; its slot stays with it. Throws `stale_claim` for a claim that is over. */
    report: (report: WorkerReport, actor: Actor): Promise<Task> =>
      db.transaction(async (sql) => {
        const row = await findTask(sql, report.task);
        requireWorker(row, report, actor, clock);
        const outcome = { result: report.output, error: report.error };
        await finishTask(sql, row, report.status, outcome, changeBy(actor));
        return toTask(await findTask(sql, row.id));
      }),

    /** Gives back unfinished work; the attempt does not count. By force also work that another holds. */
    giveBack: (task: TaskReference, claimToken: number | undefined, actor: Actor, isForced = false): Promise<Task> =>
      db.transaction(async (sql) => {
        const row = await findTask(sql, task);
        refuseOldToken(row, { actor, claimToken });
        if (row.status !== 'in_progress') {
          throw new RuntimeError(
            'conflict',
            `Task ${row.id} is ${row.status}; there is no claim to give back.`,
            'Call get_task to see what came of it.',
          );
        }
        if (!isForced) requireClaim(row, { actor, claimToken }, clock);
        await releaseClaim(sql, row, changeBy(actor));
        return toTask(await findTask(sql, row.id));
      }),

    /** Puts a failed or cancelled task, or one whose holder is gone, back into the line. */
    reset: (task: TaskReference, actor: Actor): Promise<Task> =>
      db.transaction(async (sql) => {
        const row = await findTask(sql, task);
        if (row.status === 'failed' || row.status === 'cancelled') await reopenTask(sql, row, changeBy(actor));
        else if (row.status === 'in_progress' && (await isAbandoned(sql, row)))
          await resetAbandoned(sql, row, changeBy(actor));
        else if (row.status === 'in_progress') throw heldByAnother(row);
        else {
          throw new RuntimeError(
            'conflict',
            `Task ${row.id} is ${row.status}; only a failed or cancelled one, or one whose worker is gone, is reset.`,
            row.status === 'pending' ? 'It can be claimed as it is.' : 'Create a new task for further work.',
          );
        }
        return toTask(await findTask(sql, row.id));
      }),

    /** Renews by hand what a caller holds: a session all of its own, a caller without one the claim that it shows. */
    heartbeat: (
      proof: { task?: TaskReference | undefined; claimToken?: number | undefined },
      actor: Actor,
    ): Promise<number> =>
      db.transaction(async (sql) => {
        if (proof.task === undefined) {
          if (actor.holder === null) throw nothingToRenew();
          await renewHoldings(sql, actor.holder, clock);
          return held(sql, actor.holder);
        }
        const row = await findTask(sql, proof.task);
        if (row.status !== 'in_progress') {
          throw new RuntimeError(
            'stale_claim',
            `Task ${row.id} is ${row.status}; there is no claim to renew.`,
            'Call get_task to see what came of it, and claim it again if it is open.',
          );
        }
        requireClaim(row, { actor, claimToken: proof.claimToken }, clock);
        await renewClaim(sql, row, claimantFor(actor, {}, clock).lease);
        if (row.worker_slot !== null) await renewSlot(sql, row.worker_slot, actor, clock);
        return 1;
      }),
  };

  /** Whether nobody is left who could finish it: its lease is over, or every process of its session is provably dead. */
  async function isAbandoned(sql: Sql, row: TaskRow): Promise<boolean> {
    if (hasLapsed(row, clock)) return true;
    const rows = await sql.all<SessionRow>('select * from sessions where holder = ?', row.claimed_by);
    return rows.length > 0 && rows.every((session) => session.ended_at !== null || isDead(identityOf(session)));
  }

  function isDead(identity: ProcessIdentity): boolean {
    return processes.liveness(identity) === 'dead';
  }
}

async function held(sql: Sql, holder: string): Promise<number> {
  const row = await sql.get<{ count: number }>(
    "select count(*) as count from tasks where claimed_by = ? and status = 'in_progress'",
    holder,
  );
  return row?.count ?? 0;
}

function nothingToRenew(): RuntimeError {
  return new RuntimeError(
    'invalid',
    'This caller has no session, so it must say which claim to renew.',
    'Pass task_id and the claim_token of your claim.',
  );
}

/** The slot that a worker claims from. A slot taken without a name takes that of the first worker who uses it. */
async function seat(sql: Sql, { slot, workerId }: WorkerClaim, actor: Actor): Promise<SlotRow> {
  const row = await findSlot(sql, slot);
  refuseForeignSlot(row, actor);
  if (row.task_id !== null) {
    throw new RuntimeError(
      'conflict',
      `Slot ${slot} is at work on task ${row.task_id}.`,
      'Report on that task with update_task, or give it back with release_task, first.',
    );
  }
  if (row.worker_id === workerId) return row;
  if (row.is_named === 1) {
    throw new RuntimeError(
      'conflict',
      `Slot ${slot} is held by worker ${row.worker_id}, not by ${workerId}.`,
      'Call get_workers to find your slot.',
    );
  }
  const taken = await sql.get<{ slot: number }>('select slot from worker_slots where worker_id = ?', workerId);
  if (taken)
    throw new RuntimeError('conflict', `Worker ${workerId} holds slot ${taken.slot} already.`, 'Claim from that slot.');
  await sql.run('update worker_slots set worker_id = ?, is_named = 1 where slot = ?', workerId, slot);
  return { ...row, worker_id: workerId, is_named: 1 };
}

async function refusal(sql: Sql, task: TaskRow): Promise<RuntimeError> {
  if (task.status === 'in_progress') return heldByAnother(task);
  const reason = (await explainWaiting(sql, task)) ?? `It is ${task.status}.`;
  return new RuntimeError(
    'conflict',
    `Task ${task.key ?? task.id} cannot be claimed. ${reason}`,
    'Call get_available_tasks for tasks that can.',
  );
}

/** The worker that reports must be the one that holds the claim, and its claim must be alive. */
function requireWorker(row: TaskRow, { workerId, claimToken }: WorkerReport, actor: Actor, clock: Clock): void {
  refuseOldToken(row, { actor, claimToken });
  if (row.status !== 'in_progress') {
    throw lostClaim(
      row,
      workerId,
      `it is ${row.status}`,
      row.status === 'pending'
        ? 'Your claim lapsed or was given back: claim it again first.'
        : 'Call get_task to see what came of it.',
    );
  }
  const isLoose = row.claimed_by === looseHolder(workerId);
  const isItsOwn = claimToken !== undefined || isLoose || isOwnClaim(row, { actor });
  if (row.worker_id !== workerId || !isItsOwn) {
    const holder = `${row.worker_id ?? 'nobody by name'} of ${row.claimed_by} has it`;
    throw lostClaim(
      row,
      workerId,
      holder,
      'Your claim was superseded or never made. Call get_available_tasks for work.',
    );
  }
  requireClaim(row, { actor, claimToken: isLoose ? row.claim_token : claimToken }, clock);
}

function lostClaim(row: TaskRow, workerId: string, why: string, hint: string): RuntimeError {
  return new RuntimeError(
    'stale_claim',
    `Worker ${workerId} does not hold task ${row.key ?? row.id}: ${why}. Nothing was written.`,
    hint,
  );
}

/** Forgets every task and frees every slot. Goals stay, and so does the log. */
export async function clearBoard(sql: Sql, change: Change): Promise<number> {
  const { count } = (await sql.get<{ count: number }>('select count(*) as count from tasks')) ?? { count: 0 };
  await sql.run('delete from worker_slots');
  await detachAllTasks(sql);
  await sql.run('update tasks set stopped_by = null where stopped_by is not null');
  await sql.run('delete from task_dependencies');
  await sql.run('delete from tasks');
  await recordEvent(sql, {
    ...change,
    subject: 'runtime',
    subjectId: 'board',
    type: 'cleared',
    data: { tasks: count },
  });
  return count;
}
