import { CallFailure } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';

export interface HealthRule {
  intervalMs: number;
  timeoutMs: number;
}

interface Watched {
  timer: NodeJS.Timeout | undefined;
  strikes: number;
  checking: Promise<boolean> | undefined;
}

export interface HealthHooks {
  onSick(connection: Connection, why: string): void;
  /** The server wants a login. */
  onLockedOut(connection: Connection, why: string): void;
}

/**
 * Checks the connections of a pool: at intervals, also while calls are under way (a hung instance always has some), and
 * when a call had no answer. One strike makes a connection suspect, so that calls go elsewhere; two make it sick. A hook
 * is called once. Without a rule there are no checks at intervals.
 */
export class Health {
  readonly #rule: HealthRule | undefined;
  readonly #timeoutMs: number;
  readonly #hooks: HealthHooks;
  readonly #watched = new Map<Connection, Watched>();

  constructor(rule: HealthRule | undefined, hooks: HealthHooks) {
    this.#rule = rule;
    this.#timeoutMs = rule?.timeoutMs ?? 2_000;
    this.#hooks = hooks;
  }

  watch(connection: Connection): void {
    const state: Watched = { timer: undefined, strikes: 0, checking: undefined };
    this.#watched.set(connection, state);
    this.#schedule(connection, state);
  }

  forget(connection: Connection): void {
    clearTimeout(this.#watched.get(connection)?.timer);
    this.#watched.delete(connection);
  }

  /** Checks now. `strikes` is 1 if a call has already waited in vain. Resolves to whether the connection is healthy. */
  async probe(connection: Connection, strikes: 0 | 1): Promise<boolean> {
    const state = this.#watched.get(connection);
    if (!state) return false;
    if (state.checking) return state.checking;
    state.strikes = Math.max(state.strikes, strikes);
    return this.#check(connection, state);
  }

  /** Whether it has a strike, so that other instances are preferred until it has answered. */
  isSuspect(connection: Connection): boolean {
    return (this.#watched.get(connection)?.strikes ?? 0) > 0;
  }

  /** Resolves when no check of this connection is under way. */
  async settled(connection: Connection): Promise<void> {
    await this.#watched.get(connection)?.checking;
  }

  stop(): void {
    for (const connection of [...this.#watched.keys()]) this.forget(connection);
  }

  #schedule(connection: Connection, state: Watched): void {
    if (!this.#rule) return;
    clearTimeout(state.timer);
    state.timer = setTimeout(() => void this.#check(connection, state), this.#rule.intervalMs);
    state.timer.unref();
  }

  #check(connection: Connection, state: Watched): Promise<boolean> {
    state.checking ??= this.#ask(connection, state).finally(() => {
      state.checking = undefined;
    });
    return state.checking;
  }

  /** Asks until it answers or has two strikes. */
  async #ask(connection: Connection, state: Watched): Promise<boolean> {
    for (;;) {
      try {
        await connection.check(this.#timeoutMs);
        state.strikes = 0;
        if (this.#watched.has(connection)) this.#schedule(connection, state);
        return true;
      } catch (error) {
        if (!this.#watched.has(connection)) return false;
        if (error instanceof CallFailure && error.kind === 'needs_login') {
          this.forget(connection);
          this.#hooks.onLockedOut(connection, error.message);
          return false;
        }
        state.strikes++;
        if (state.strikes < 2) continue;
        this.forget(connection);
        const why = `it did not answer twice, the second time to a health check of ${this.#timeoutMs} ms`;
        this.#hooks.onSick(connection, why);
        return false;
      }
    }
  }
}
