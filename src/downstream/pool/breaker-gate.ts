import type { Clock, EpochMs } from '../../base/clock.js';
import type { Breakers } from '../../core/breakers/breakers.js';
import { type PreparedConfig, prepareBreaker } from '../../core/breakers/configure-breaker.js';
import { openUntil } from '../../core/breakers/list-breakers.js';
import type { FailureType } from '../../core/breakers/machine.js';
import type { Database } from '../../store/sql.js';

/** Permission to make one call. */
export interface Permit {
  /** One of the few that a half-open breaker gives out; undefined where the breaker is closed. */
  readonly id: string | undefined;
}

export interface BreakerGateNeeds {
  db: Database;
  clock: Clock;
  breakers: Breakers;
  /** Whom half-open permits are given to. */
  holder: string;
}

/** How long another process's change of a breaker may go unnoticed. */
const freshMs = 250;

const closedPermit: Permit = { id: undefined };

/**
 * The circuit breakers that a tool call passes, cached. A closed breaker costs a call nothing: a transaction before and
 * one after would take longer than a short call itself.
 */
export class BreakerGate {
  readonly #needs: BreakerGateNeeds;
  /** Breakers that are not closed, with the time when that may change. */
  #notClosed = new Map<string, EpochMs>();
  #readAt = Number.NEGATIVE_INFINITY;
  /** Failures recorded by this session that no success has been recorded for yet, by breaker. */
  readonly #unpaidFailures = new Map<string, number>();

  constructor(needs: BreakerGateNeeds) {
    this.#needs = needs;
  }

  /** Undefined when the breaker refuses the call. Every permit ends with one of the three methods below. */
  async admit(breaker: string, callMs: number): Promise<Permit | undefined> {
    if (this.#isStale()) await this.#read();
    if (!this.#notClosed.has(breaker)) return closedPermit;
    const { breakers, holder } = this.#needs;
    const { allowed, permit } = await breakers.acquire(breaker, { holder, callMs });
    return allowed ? { id: permit } : undefined;
  }

  /** Only a half-open breaker, and one with failures to make up for, needs to know of a success. */
  async succeeded(breaker: string, { id }: Permit): Promise<void> {
    const unpaid = this.#unpaidFailures.get(breaker) ?? 0;
    if (id === undefined && unpaid === 0) return;
    if (unpaid > 0) this.#unpaidFailures.set(breaker, unpaid - 1);
    await this.#needs.breakers.recordSuccess(breaker, id);
    if (id !== undefined) this.#expire();
  }

  async failed(breaker: string, { id }: Permit, failure: { type: FailureType; message: string }): Promise<void> {
    const { db, clock, breakers } = this.#needs;
    await prepareBreaker(db, breaker, configFor(breaker), clock);
    await breakers.recordFailure(breaker, failure, { permit: id });
    this.#unpaidFailures.set(breaker, (this.#unpaidFailures.get(breaker) ?? 0) + 1);
    this.#expire();
  }

  /** For a call that was not made, or whose end says nothing about the server. */
  async release({ id }: Permit): Promise<void> {
    if (id !== undefined) await this.#needs.breakers.release(id);
  }

  /** Whether the breaker is open for some time yet, so that waiting for what it guards is useless. */
  async isOpen(breaker: string): Promise<boolean> {
    if (this.#isStale()) await this.#read();
    return (this.#notClosed.get(breaker) ?? 0) > this.#needs.clock.now();
  }

  #isStale(): boolean {
    return performance.now() - this.#readAt >= freshMs;
  }

  async #read(): Promise<void> {
    this.#notClosed = await openUntil(this.#needs.db, this.#needs.clock);
    this.#readAt = performance.now();
  }

  #expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }
}

/**
 * The pool judges an instance before it records a failure: the instance hangs, or has failed again and again. So one
 * failure opens the breaker, and one probe soon after may close it, as another process has been started by then.
 */
const instanceBreaker = {
  failureThreshold: 1,
  windowSeconds: 60,
  cooldownSeconds: 10,
  halfOpenMaxCalls: 1,
  successThreshold: 1,
};

/** For one tool of a server that is otherwise healthy: five failures within a minute open it. */
const toolBreaker = {
  failureThreshold: 5,
  windowSeconds: 60,
  cooldownSeconds: 60,
  halfOpenMaxCalls: 3,
  successThreshold: 2,
};

function configFor(breaker: string): PreparedConfig {
  return breaker.startsWith('server:') ? instanceBreaker : toolBreaker;
}
