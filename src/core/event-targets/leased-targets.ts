import type { Clock, EpochMs } from '../../base/clock.js';
import { newToken } from '../../base/ids.js';
import type { Database, Statement } from '../../store/sql.js';
import { clockValues, leaseFor, leaseHasLapsed, leaseValues } from '../lease.js';
import { type EventTarget, type TargetRow, toTarget } from './event-target.js';
import { type DeliveryRow, disableTarget, secretsOf, sendWaiting } from './event-targets.js';

/** The right of one process to deliver to a target. Its token fences what the process writes. */
export interface TargetLease {
  id: string;
  name: string;
  kind: EventTarget['kind'];
  token: string;
}

/** A target whose lease is held, with what signs its messages. */
export interface HeldTarget extends EventTarget {
  secrets: string[];
  /** When the next of the deliveries that wait is tried again; null when none waits. */
  nextDueAt: EpochMs | null;
}

/** A delivery that was not taken, as it waits. */
export interface WaitingDelivery {
  /** Undefined for one that is not stored yet. */
  id: number | undefined;
  eventId: number;
  kind: string;
  /** Such as `task:8`. */
  subject: string;
  body: string;
  attempts: number;
  nextAt: EpochMs;
}

/** What has come of a turn. */
export interface TurnReport {
  /** Events up to this one were dealt with. */
  cursorId: number;
  delivered: number;
  /** Stored deliveries that were taken. */
  taken: readonly number[];
  /** Those that wait for another try. */
  waiting: readonly (WaitingDelivery & { lastError: string | null })[];
  /** Those that were tried for the last time. */
  dead: readonly (WaitingDelivery & { lastError: string | null })[];
  /** In a row, to this one's end. */
  failures: number;
  failingSince: EpochMs | null;
  pausedUntil: EpochMs | null;
  lastError: string | null;
  /** It answers again, so what waits is due. */
  isBack: boolean;
  /** It is to get nothing more, for this reason. */
  disabledWhy: string | undefined;
}

/** Time after which the targets of a process that is gone are taken over. */
export const targetLeaseMs = 15_000;

/** Each locks the row of its target first, so that others may write meanwhile. */
const beside = { beside: true };

export type LeasedTargets = ReturnType<typeof createLeasedTargets>;

/** Targets as the processes see them that deliver: one process at a time has the lease of a target. */
export function createLeasedTargets({ db, clock }: { db: Database; clock: Clock }) {
  const nextLease = () => leaseValues(leaseFor(clock, targetLeaseMs));
  return {
    /** The targets that nobody delivers to: webhooks, and sinks of these names. */
    async free(sinks: readonly string[]): Promise<string[]> {
      const rows = await db.all<{ id: string; kind: string; name: string }>(
        `select id, kind, name from event_targets where status = 'active'
           and (lease_token is null or ${leaseHasLapsed})`,
        ...clockValues(clock),
      );
      return rows.filter(({ kind, name }) => kind === 'webhook' || sinks.includes(name)).map(({ id }) => id);
    },

    /** Takes the lease of a target; undefined if another process was first. */
    async take(id: string): Promise<TargetLease | undefined> {
      const token = newToken();
      const row = await db.transaction(
        (sql) =>
          sql.get<TargetRow>(
            `update event_targets set lease_token = ?, lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?
           where id = ? and status = 'active' and (lease_token is null or ${leaseHasLapsed}) returning *`,
            token,
            ...nextLease(),
            id,
            ...clockValues(clock),
          ),
        beside,
      );
      return row && { id, name: row.name, kind: row.kind, token };
    },

    /** The target as it is now; undefined when the lease is lost or the target gone or disabled. */
    async held({ id, token }: TargetLease): Promise<HeldTarget | undefined> {
      const row = await db.get<TargetRow & { next_due_at: EpochMs | null }>(
        `select t.*, (select min(d.next_at) from event_deliveries d where d.target_id = t.id and d.status = 'waiting') as next_due_at
         from event_targets t where t.id = ? and t.lease_token = ?`,
        id,
        token,
      );
      return row && { ...toTarget(row), secrets: secretsOf(row, clock.now()), nextDueAt: row.next_due_at };
    },

    /** Renews a lease, and notes the place among the events if it is given. False when the lease is lost. */
    renew: async ({ id, token }: TargetLease, cursorId?: number): Promise<boolean> =>
      (await db.transaction(
        (sql) =>
          sql.run(
            `update event_targets set lease_expires_at = ?, lease_expires_tick = ?, lease_boot_id = ?,
             cursor_id = coalesce(?, cursor_id)
           where id = ? and lease_token = ?`,
            ...nextLease(),
            cursorId ?? null,
            id,
            token,
          ),
        beside,
      )) === 1,

    /** The deliveries of a target that wait, the next one first. */
    async waiting({ id }: Pick<TargetLease, 'id'>, limit: number): Promise<WaitingDelivery[]> {
      const rows = await db.all<DeliveryRow>(
        "select * from event_deliveries where target_id = ? and status = 'waiting' order by next_at, id limit ?",
        id,
        limit,
      );
      return rows.map(({ id: row, event_id, kind, subject, body, attempts, next_at }) => ({
        id: row,
        eventId: event_id,
        kind,
        subject,
        body,
        attempts,
        nextAt: next_at,
      }));
    },

    /** Writes what has come of a turn, whole or, when the lease is lost, not at all. Resolves to whether it was written. */
    settle: (lease: TargetLease, report: TurnReport): Promise<boolean> =>
      db.transaction(async (sql) => {
        const at = clock.now();
        const kept = await sql.run(
          `update event_targets set cursor_id = ?, delivered = delivered + ?, failures = ?, failing_since = ?,
             paused_until = ?, last_error = coalesce(?, last_error),
             last_delivered_at = case when ? > 0 then ? else last_delivered_at end, updated_at = ?
           where id = ? and lease_token = ?`,
          report.cursorId,
          report.delivered,
          report.failures,
          report.failingSince,
          report.pausedUntil,
          report.lastError,
          report.delivered,
          at,
          at,
          lease.id,
          lease.token,
        );
        if (kept === 0) return false;
        for (const id of report.taken) await sql.send('delete from event_deliveries where id = ?', id);
        const unsent = [
          ...report.waiting.map((one) => ({ ...one, status: 'waiting' })),
          ...report.dead.map((one) => ({ ...one, status: 'dead' })),
        ];
        for (const { eventId, kind, subject, body, status, attempts, nextAt, lastError } of unsent) {
          await sql.send(
            `insert into event_deliveries
               (target_id, event_id, kind, subject, body, status, attempts, next_at, last_error, created_at, updated_at)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             on conflict (target_id, event_id) do update set status = excluded.status, attempts = excluded.attempts,
               next_at = excluded.next_at, last_error = excluded.last_error, updated_at = excluded.updated_at`,
            lease.id,
            eventId,
            kind,
            subject,
            body,
            status,
            attempts,
            nextAt,
            lastError,
            at,
            at,
          );
        }
        if (report.isBack) await sendWaiting(sql, lease.id, at);
        if (report.disabledWhy !== undefined) await disableTarget(sql, lease, report.disabledWhy, { at });
        return true;
      }, beside),

    /** Gives a lease back. */
    async release(lease: TargetLease): Promise<void> {
      const { text, values } = this.releasing(lease);
      await db.transaction((sql) => sql.run(text, ...values), beside);
    },

    /** The same as a statement, for a process that ends. */
    releasing: ({ id, token }: TargetLease): Statement => ({
      text: 'update event_targets set lease_token = null where id = ? and lease_token = ?',
      values: [id, token],
    }),
  };
}
