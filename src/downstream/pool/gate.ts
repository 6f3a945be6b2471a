import type { Clock } from '../../base/clock.js';
import type { Breakers } from '../../core/breakers/breakers.js';
import { type PreparedConfig, prepareBreaker } from '../../core/breakers/configure-breaker.js';
import { openUntil } from '../../core/breakers/list-breakers.js';
import type { FailureType } from '../../core/breakers/machine.js';

import type { Database } from '../../store/sql.js';

/** Leave to make one call. */
export interface Leave {
  /** Of a half-open breaker. */
  permit: string | undefined;
}

export interface Gate {
  /** Nothing when the breaker says no. */
  admit(id: string, callMs: number): Promise<Leave | undefined>;
  /** Whether it would surely say no, so that there is no use in waiting for what it guards. */
  isShut(id: string): Promise<boolean>;
  succeeded(id: string, leave: Leave): Promise<void>;
  failed(id: string, leave: Leave, failure: { type: FailureType; message: string }): Promise<void>;
  /** The call was not made after all, or says nothing about the server. */
  forget(leave: Leave): Promise<void>;
}

export interface GateNeeds {
  db: Database;
  clock: Clock;
  breakers: Breakers;
  /** Whose probes these are. */
  holder: string;
}

/** How long it may take until another process's breaker is noticed. */
const freshMs = 250;

/**
 * The breakers of tool servers as a call meets them. One that is closed costs a call nothing: asking and reporting by a
 * transaction each would take longer than a short call itself.
 */
export function createGate({ db, clock, breakers, holder }: GateNeeds): Gate {
  let open = new Map<string, number>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Failures that successes have still to make up for. */
  const owed = new Map<string, number>();

  async function look(): Promise<void> {
    if (performance.now() - lookedAt < freshMs) return;
    open = await openUntil(db);
    lookedAt = performance.now();
  }

  const lookAgain = () => {
    lookedAt = Number.NEGATIVE_INFINITY;
  };

  return {
    async admit(id, callMs) {
      await look();
      if (!open.has(id)) return { permit: undefined };
      const { allowed, permit } = await breakers.acquire(id, { holder, callMs });
      return allowed ? { permit } : undefined;
    },

    async isShut(id) {
      await look();
      return (open.get(id) ?? 0) > clock.now();
    },

    async succeeded(id, { permit }) {
      const debt = owed.get(id) ?? 0;
      if (permit === undefined && debt === 0) return;
      if (debt > 0) owed.set(id, debt - 1);
      await breakers.recordSuccess(id, permit);
      if (permit !== undefined) lookAgain();
    },

    async failed(id, { permit }, failure) {
      await prepareBreaker(db, id, configFor(id), clock.now());
      await breakers.recordFailure(id, failure, { permit });
      owed.set(id, (owed.get(id) ?? 0) + 1);
      lookAgain();
    },

    async forget({ permit }) {
      if (permit !== undefined) await breakers.release(permit);
    },
  };
}

/**
 * An instance is judged by its pool before its breaker hears of it: it hangs, or it has failed again and again. So the
 * first word is enough, and since it has been started anew by then, one probe soon after.
 */
const forInstance = {
  failureThreshold: 1,
  windowSeconds: 60,
  cooldownSeconds: 10,
  halfOpenMaxCalls: 1,
  successThreshold: 1,
};

/** A tool of a server that is otherwise well: five failures within a minute. */
const forTool = {
  failureThreshold: 5,
  windowSeconds: 60,
  cooldownSeconds: 60,
  halfOpenMaxCalls: 3,
  successThreshold: 2,
};

function configFor(id: string): PreparedConfig {
  return id.startsWith('server:') ? forInstance : forTool;
}
