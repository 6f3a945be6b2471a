import type { Clock } from '../../base/clock.js';
import type { Database } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { Event } from '../events/events.js';
import type { Failure } from './circuit-rows.js';
import { type Choice, chooseAgent, type Wish } from './fallback.js';
import {
  type Admission,
  acquireIn,
  type CallEnd,
  type Caller,
  type FailedCallEnd,
  recordFailureIn,
  recordSuccessIn,
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
import { giveBack } from './probes.js';
import { type ConfigChanges, configureIn, resetIn, type Trip, tripIn } from './steer-breaker.js';

export type Breakers = ReturnType<typeof createBreakers>;

/**
 * The breakers that all processes share: their window, cooldown and probes are rows. Each of these is a transaction of
 * its own; a caller with one of its own uses `acquireIn`, `recordSuccessIn`, `recordFailureIn` and `chooseAgent`.
 */
export function createBreakers({ db, clock }: { db: Database; clock: Clock }) {
  const byHand = (actor: Actor | undefined) => ({ now: clock.now(), actor });

  return {
    /** Asks whether a call may be made now. */
    acquire: (id: string, caller: Caller = {}): Promise<Admission> =>
      db.transaction((sql) => acquireIn(sql, id, { ...caller, now: clock.now() })),

    /** Asks for an agent or, when its breaker says no, along its fallbacks. */
    choose: (id: string, wish: Omit<Wish, 'now'> = {}): Promise<Choice> =>
      db.transaction((sql) => chooseAgent(sql, id, { ...wish, now: clock.now() })),

    recordSuccess: (id: string, permit?: string, end: Omit<CallEnd, 'now' | 'permit'> = {}) =>
      db.transaction((sql) => recordSuccessIn(sql, id, { ...end, permit, now: clock.now() })),

    recordFailure: (id: string, failure: Failure, end: Omit<FailedCallEnd, 'now'> = {}) =>
      db.transaction((sql) => recordFailureIn(sql, id, failure, { ...end, now: clock.now() })),

    /** The call was not made after all, or ended by its caller's wish: the probe is free again. */
    release: (permit: string): Promise<void> => db.transaction((sql) => giveBack(sql, permit)),

    trip: (id: string, trip: Trip, actor?: Actor) => db.transaction((sql) => tripIn(sql, id, trip, byHand(actor))),
    reset: (id: string, actor?: Actor) => db.transaction((sql) => resetIn(sql, id, byHand(actor))),
    configure: (id: string, changes: ConfigChanges, actor?: Actor): Promise<BreakerConfig> =>
      db.transaction((sql) => configureIn(sql, id, changes, byHand(actor))),

    get: (id: string): Promise<Breaker> => readBreaker(db, id, clock.now()),
    failures: (id: string): Promise<RecentFailure[]> => recentFailures(db, id, 10),
    list: (page: BreakerPage): Promise<Breaker[]> => listBreakers(db, page, clock.now()),
    count: (): Promise<number> => countBreakers(db),
    tripped: (limit: number): Promise<TrippedBreaker[]> => trippedBreakers(db, clock.now(), limit),
    events: (id: string, limit: number): Promise<Event[]> => breakerEvents(db, id, limit),
  };
}
