import type { Clock } from '../../base/clock.js';
import type { Database, Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Change } from '../change.js';
import type { Event } from '../events/events.js';
import type { Failure } from './circuit-rows.js';
import { type ConfigChanges, configureBreaker } from './configure-breaker.js';
import { type Choice, type ChoiceRequest, chooseAgent } from './fallback.js';
import {
  acquirePermit,
  type CallEnd,
  type FailedCallEnd,
  type PermitAnswer,
  type PermitRequest,
  recordFailure,
  recordSuccess,
  releasePermit,
} from './guard.js';
import {
  type Breaker,
  type BreakerPage,
  breakerEvents,
  countBreakers,
  listBreakers,
  type RecentFailure,
  readBreaker,
  recentFailures,
  type TrippedBreaker,
  trippedBreakers,
} from './list-breakers.js';
import type { BreakerConfig } from './machine.js';
import { resetBreaker, type Trip, tripBreaker } from './trip-breaker.js';

export type Breakers = ReturnType<typeof createBreakers>;

export interface BreakersNeeds {
  db: Database;
  clock: Clock;
  /** Runs in the transaction in which a breaker closes, by itself or by hand. */
  onClosed?: (sql: Sql, id: string, change: Change) => Promise<void>;
}

/**
 * The breakers that all processes share: their windows, cooldowns and permits are rows. Each writing method is a
 * transaction of its own; those of a call lock their breaker alone. Inside another transaction, call `acquirePermit`, `recordSuccess`, `recordFailure` or
 * `chooseAgent` with its `sql`.
 */
export function createBreakers({ db, clock, onClosed = async () => {} }: BreakersNeeds) {
  const changeBy = (actor?: Actor) => ({ at: clock.now(), actor, clock });

  return {
    /** Asks whether a call may be made now. */
    acquire: (id: string, request: PermitRequest = {}): Promise<PermitAnswer> =>
      db.transaction((sql) => acquirePermit(sql, id, request, clock), { beside: true }),

    /** Asks for an agent, and along its fallbacks while breakers refuse. */
    choose: (id: string, request: ChoiceRequest = {}): Promise<Choice> =>
      db.transaction((sql) => chooseAgent(sql, id, request, clock), { beside: true }),

    recordSuccess: (id: string, permit?: string, end: Omit<CallEnd, 'at' | 'clock' | 'permit'> = {}) =>
      db.transaction(
        async (sql) => {
          const at = clock.now();
          const moved = await recordSuccess(sql, id, { ...end, permit, at, clock });
          if (moved.from === moved.to || moved.to !== 'closed') return moved;
          await sql.alone();
          await onClosed(sql, id, { at, actor: end.actor });
          return moved;
        },
        { beside: true },
      ),

    recordFailure: (id: string, failure: Failure, end: Omit<FailedCallEnd, 'at' | 'clock'> = {}) =>
      db.transaction((sql) => recordFailure(sql, id, failure, { ...end, at: clock.now(), clock }), { beside: true }),

    /** Returns a permit whose call was not made, or was cancelled by its caller. */
    release: (permit: string): Promise<void> => db.transaction((sql) => releasePermit(sql, permit), { beside: true }),

    trip: (id: string, trip: Trip, actor?: Actor) =>
      db.transaction((sql) => tripBreaker(sql, id, trip, changeBy(actor))),
    reset: (id: string, actor?: Actor) =>
      db.transaction(async (sql) => {
        const change = changeBy(actor);
        const moved = await resetBreaker(sql, id, change);
        await onClosed(sql, id, change);
        return moved;
      }),
    configure: (id: string, changes: ConfigChanges, actor?: Actor): Promise<BreakerConfig> =>
      db.transaction((sql) => configureBreaker(sql, id, changes, changeBy(actor))),

    get: (id: string): Promise<Breaker> => readBreaker(db, id, clock),
    failures: (id: string): Promise<RecentFailure[]> => recentFailures(db, id, 10),
    list: (page: BreakerPage): Promise<Breaker[]> => listBreakers(db, page, clock),
    count: (): Promise<number> => countBreakers(db),
    tripped: (limit: number): Promise<TrippedBreaker[]> => trippedBreakers(db, clock, limit),
    events: (id: string, limit: number): Promise<Event[]> => breakerEvents(db, id, limit),
  };
}
