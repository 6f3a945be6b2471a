import { CallFailure } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';
import type { BreakerGate, Permit } from './breaker-gate.js';
import type { Health } from './health.js';
import type { Instance } from './instance.js';

/** An instance with what the pool counts about it. */
export interface Slot {
  readonly instance: Instance;
  /** Calls under way. */
  inFlight: number;
  /** The number of its last call, counted over the whole pool. */
  lastUsed: number;
  failuresInRow: number;
}

export interface SlotRequest {
  /** Connections that this call has been tried on. */
  avoid: ReadonlySet<Connection>;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface SlotsNeeds {
  gate: BreakerGate;
  health: Health;
  /** How long callers wait for an instance to come up. */
  startTimeoutMs: number;
  /** Makes the instance of a number, from 1. */
  createInstance(number: number): Instance;
}

/** Calls under way at once on one instance. Further ones go to another instance, or are refused. */
const mostInFlight = 64;

export const breakerOf = ({ instance }: Slot): string => `server:${instance.id}`;

const scaledToZero = () => new CallFailure('not_started', 'it is scaled to 0 instances');

/** The instance slots of a pool: which one takes a call, and the wait until one can. */
export class Slots {
  readonly #needs: SlotsNeeds;
  readonly #slots: Slot[] = [];
  #uses = 0;

  constructor(needs: SlotsNeeds) {
    this.#needs = needs;
  }

  get all(): readonly Slot[] {
    return this.#slots;
  }

  /** Adds slots up to a count, or removes those beyond it. Returns the removed ones, whose instances still run. */
  resize(count: number): Slot[] {
    const removed = this.#slots.splice(count);
    while (this.#slots.length < count) {
      const instance = this.#needs.createInstance(this.#slots.length + 1);
      this.#slots.push({ instance, inFlight: 0, lastUsed: 0, failuresInRow: 0 });
    }
    return removed;
  }

  /** Starts every instance that is not up, so that there is another when one fails. No result is left unhandled. */
  startAll(): Promise<Connection>[] {
    return this.#slots.map(({ instance }) => {
      const ready = instance.ready();
      ready.catch(() => {});
      return ready;
    });
  }

  /**
   * For how many milliseconds a caller should still wait for the first instance to come up. Those who come after it has
   * been awaited in vain wait no more: one server that hangs must not hold up every call.
   */
  patienceMs(): number {
    const comingUp = Math.min(...this.#slots.map(({ instance }) => instance.comingUpMs));
    return Math.max(0, this.#needs.startTimeoutMs - comingUp);
  }

  /** The first instance that comes up, within `timeoutMs` and the patience. Throws CallFailure `not_started`. */
  async first({ timeoutMs, isPatient }: { timeoutMs: number; isPatient: boolean }): Promise<Connection> {
    if (this.#slots.length === 0) throw scaledToZero();
    const starts = this.startAll();
    return firstOf(starts, {
      ms: isPatient ? timeoutMs : Math.min(timeoutMs, this.patienceMs()),
      late: () => this.#notReady(),
    });
  }

  /**
   * Takes a slot for one call, with a permit of its breaker; waits until an instance is up. The caller lowers `inFlight`
   * when the call has ended. Throws CallFailure: `not_started`, `circuit_open`, `busy`, `cancelled`.
   */
  async take(request: SlotRequest, deadline: number): Promise<{ slot: Slot; permit: Permit }> {
    const refused = new Set<Slot>();
    for (;;) {
      if (this.#slots.length === 0) throw scaledToZero();
      if (this.#slots.some(({ instance }) => instance.state === 'stopped')) this.startAll();
      const slot = this.#choose(request.avoid, refused);
      if (!slot) {
        await this.#waitForStart(request, refused, deadline);
        continue;
      }
      const permit = await this.#enter(slot, request, refused);
      if (permit) return { slot, permit };
    }
  }

  /** The usable slot with the fewest calls in flight; among equals the least recently used. */
  #choose(avoid: ReadonlySet<Connection>, refused: ReadonlySet<Slot>): Slot | undefined {
    const usable = this.#slots.filter((slot) => this.#isUsable(slot, avoid) && !refused.has(slot));
    return usable.sort((one, other) => one.inFlight - other.inFlight || one.lastUsed - other.lastUsed)[0];
  }

  #isUsable({ instance }: Slot, avoid: ReadonlySet<Connection>): boolean {
    const { connection } = instance;
    return connection !== undefined && !avoid.has(connection) && !this.#needs.health.isSuspect(connection);
  }

  /** Undefined if the breaker refuses, or if the connection was lost in the meantime. */
  async #enter(slot: Slot, request: SlotRequest, refused: Set<Slot>): Promise<Permit | undefined> {
    const { gate } = this.#needs;
    if (slot.inFlight >= mostInFlight) throw new CallFailure('busy', `all instances have ${mostInFlight} calls`);
    // Counted before the breaker is asked: calls that arrive together would all choose the same slot otherwise.
    slot.inFlight++;
    slot.lastUsed = ++this.#uses;
    let isTaken = false;
    try {
      const permit = await gate.admit(breakerOf(slot), request.timeoutMs);
      isTaken = permit !== undefined && this.#isUsable(slot, request.avoid);
      if (isTaken) return permit;
      if (permit) await gate.release(permit);
      else refused.add(slot);
      return undefined;
    } finally {
      if (!isTaken) slot.inFlight--;
    }
  }

  /** Starts the instances, and waits for the first that no breaker refuses. */
  async #waitForStart(request: SlotRequest, refused: Set<Slot>, deadline: number): Promise<void> {
    for (const slot of this.#slots) if (await this.#needs.gate.isOpen(breakerOf(slot))) refused.add(slot);
    const starts = this.startAll();
    const awaited = this.#slots.flatMap((slot, index) => (refused.has(slot) ? [] : (starts[index] ?? [])));
    if (awaited.length === 0) throw new CallFailure('circuit_open', 'its circuit breaker is open');
    const left = Math.min(deadline - performance.now(), this.patienceMs());
    if (left <= 0) throw this.#notReady();
    const settled = awaited.map((start) => this.#settled(start, request.avoid));
    await firstOf(settled, { ms: left, late: () => this.#notReady(), signal: request.signal });
  }

  #notReady(): CallFailure {
    const seconds = Math.round(Math.min(...this.#slots.map(({ instance }) => instance.comingUpMs)) / 1_000);
    const failure = this.#slots.find(({ instance }) => instance.lastFailure !== undefined)?.instance.lastFailure;
    const since = seconds > 0 ? `, it has been starting for ${seconds} s` : '';
    return new CallFailure('not_started', `no instance was ready in time${since}${failure ? `: ${failure}` : ''}`);
  }

  /** Resolves when an instance is up and its health is known; rejects if the call has been tried on that connection. */
  async #settled(start: Promise<Connection>, avoid: ReadonlySet<Connection>): Promise<void> {
    const connection = await start;
    await this.#needs.health.settled(connection);
    if (connection.isOpen() && avoid.has(connection)) {
      throw new CallFailure('not_started', 'every instance has been tried');
    }
  }
}

/**
 * The first promise that resolves. Rejects with `late()` when the time is over and with CallFailure `cancelled` when the
 * signal aborts; if all promises reject, with the first one's error.
 */
async function firstOf<Found>(
  awaited: readonly Promise<Found>[],
  { ms, late, signal }: { ms: number; late(): CallFailure; signal?: AbortSignal },
): Promise<Found> {
  let timer: NodeJS.Timeout | undefined;
  let cancel = () => {};
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
    cancel = () => reject(new CallFailure('cancelled', 'cancelled by its caller'));
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
  });
  try {
    return await Promise.race([Promise.any(awaited), end]);
  } catch (error) {
    throw error instanceof AggregateError ? (error.errors[0] ?? new CallFailure('not_started', 'no instance')) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}
