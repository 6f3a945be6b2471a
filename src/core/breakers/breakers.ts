import type { Clock } from '../../base/clock.js';
import { newShortId } from '../../base/ids.js';
import type { Database, Sql } from '../../store/sql.js';
import { recordEvent } from '../events/events.js';
import {
  countFailure,
  countSuccess,
  type Failure,
  isTripped,
  loadCircuit,
  type StoredCircuit,
  storeCircuit,
} from './circuit-rows.js';
import { admits, afterFailure, afterSuccess, type BreakerState, type Circuit, retryAfterMs } from './machine.js';

/** An answer, not an error: a breaker that says no has done its work. */
export interface Admission {
  allowed: boolean;
  state: BreakerState;
  /** Of a probe: to be given back with the call's outcome. */
  permit: string | undefined;
  retryAfterMs: number | undefined;
}

export type Breakers = ReturnType<typeof createBreakers>;

export interface Caller {
  /** Whose probe it is, for `releaseProbes`. */
  holder?: string | undefined;
  /** How long the call may take: a probe whose caller is lost is free again then. */
  callMs?: number | undefined;
}

const usualCallMs = 10 * 60_000;

/** The breakers that all processes share: their window, cooldown and probes are rows. */
export function createBreakers({ db, clock }: { db: Database; clock: Clock }) {
  return {
    /** Asks whether a call may be made now. */
    acquire: (id: string, { holder = 'caller', callMs = usualCallMs }: Caller = {}): Promise<Admission> =>
      db.transaction(async (sql) => {
        const now = clock.now();
        const stored = await loadCircuit(sql, id, now);
        const { circuit, config } = stored;
        if (circuit.state !== stored.row.state) await moveTo(sql, stored, circuit, now, 'the cooldown is over');
        const allowed = admits(circuit, config);
        const permit = allowed && circuit.state === 'half_open' ? `${holder}/${newShortId()}` : undefined;
        if (permit) {
          await sql.run(
            'insert into breaker_permits (permit, breaker_id, expires_at) values (?, ?, ?)',
            permit,
            id,
            now + callMs,
          );
        }
        return {
          allowed,
          state: circuit.state,
          permit,
          retryAfterMs: allowed ? undefined : retryAfterMs(circuit, now),
        };
      }),

    recordSuccess: (id: string, permit?: string): Promise<void> =>
      db.transaction(async (sql) => {
        const now = clock.now();
        const stored = await loadCircuit(sql, id, now);
        await giveBack(sql, permit);
        await countSuccess(sql, stored, now);
        await moveTo(sql, stored, afterSuccess(stored.circuit, stored.config), now, 'its probes succeeded');
      }),

    recordFailure: (
      id: string,
      failure: Failure,
      more: { permit?: string | undefined; retryAfterMs?: number | undefined } = {},
    ) =>
      db.transaction(async (sql): Promise<void> => {
        const now = clock.now();
        const stored = await loadCircuit(sql, id, now);
        await giveBack(sql, more.permit);
        // What fails while it is open was under way before; it is counted, but cannot fill the window.
        if (stored.circuit.state === 'open') {
          await sql.run(
            'update breakers set total_failures = total_failures + 1, last_failure_at = ? where id = ?',
            now,
            id,
          );
          return;
        }
        await countFailure(sql, id, failure, now);
        const next = afterFailure(stored.circuit, stored.config, now, more.retryAfterMs);
        await moveTo(sql, stored, next, now, `${failure.type}: ${failure.message}`);
      }),

    /** The call was not made after all, or ended by its caller's wish: the probe is free again. */
    release: (permit: string): Promise<void> => db.transaction((sql) => giveBack(sql, permit)),

    /** The ids of those that let no ordinary call through. */
    async open(): Promise<{ id: string; state: BreakerState; cooldownUntil: number | null }[]> {
      return db.all(
        `select id, state, cooldown_until as "cooldownUntil" from breakers where state <> 'closed' order by id`,
      );
    },
  };
}

async function giveBack(sql: Sql, permit: string | undefined): Promise<void> {
  if (permit) await sql.run('delete from breaker_permits where permit = ?', permit);
}

async function moveTo(sql: Sql, stored: StoredCircuit, circuit: Circuit, now: number, reason: string): Promise<void> {
  const { row } = stored;
  await storeCircuit(sql, stored, circuit, now);
  // A failure after an unnoticed end of the cooldown: open before and after, and half open between.
  const from = isTripped(stored, circuit) ? stored.circuit.state : row.state;
  if (circuit.state === from) return;
  await recordEvent(sql, {
    at: now,
    subject: 'breaker',
    subjectId: row.id,
    type: circuit.state === 'open' ? 'failure_trip' : circuit.state === 'closed' ? 'recovery' : 'half_open',
    data: { from_state: from, to_state: circuit.state, reason },
  });
}
