import { type Backoff, retryDelayMs } from '../../base/backoff.js';
import { messageOf } from '../../base/errors.js';
import { CallFailure } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';

/** `needs_login`: only a person can let it in. It is tried again with each call, since that may have happened. */
export const instanceStates = ['stopped', 'starting', 'ready', 'waiting', 'given_up', 'needs_login'] as const;
export type InstanceState = (typeof instanceStates)[number];

export interface InstanceNeeds {
  /** `github#2`. */
  id: string;
  /** Opens a connection; `onClosed` is called once when it has ended, whichever side ended it. */
  open(onClosed: () => void): Promise<Connection>;
  /** Monotonic milliseconds: a step of the wall clock neither ends a rest nor makes it longer. */
  tick(): number;
  random(): number;
  /** Called when it is given up, for the event log. */
  onGivenUp(why: string): void;
  /** Called when it ended although nobody stopped it. */
  onLost(): void;
  restart?: RestartRule;
}

export interface RestartRule {
  backoff: Backoff;
  /** It is given up after this many failed starts in a row. */
  tries: number;
  /** After this long up, earlier failures are forgotten. */
  stableMs: number;
  /** Once given up, it is tried again for a call after this long. */
  restMs: number;
}

export const usualRestart: RestartRule = {
  backoff: { baseMs: 100, capMs: 30_000 },
  tries: 5,
  stableMs: 5 * 60_000,
  restMs: 60_000,
};

/**
 * One instance of a server: a process or session that is started again whenever it ends, with backoff.
 *
 * A crash after an answer counts as the first failure again: a server that is killed now and then must come back each
 * time, and only one that never answers is given up.
 */
export class Instance {
  readonly id: string;
  readonly #needs: InstanceNeeds;
  readonly #rule: RestartRule;
  #state: InstanceState = 'stopped';
  #connection: Connection | undefined;
  /** The start that is under way or was last made; undefined when it is stopped or given up. */
  #starting: Promise<Connection> | undefined;
  /** Incremented by every stop. A start that began in an earlier era is discarded. */
  #era = 0;
  /** Failed starts in a row. */
  #failures = 0;
  #hasAnswered = false;
  #readyAt: number = 0;
  #givenUpAt: number = 0;
  #restarts = 0;
  /** Since when it has been wanted and not ready, on the clock of `tick`. */
  #wantedSince: number | undefined;
  #lastFailure: string | undefined;
  #lastWords: string | undefined;
  #endPause = () => {};

  constructor(needs: InstanceNeeds) {
    this.id = needs.id;
    this.#needs = needs;
    this.#rule = needs.restart ?? usualRestart;
  }

  get state(): InstanceState {
    return this.#state;
  }

  /** The connection, if it is open. */
  get connection(): Connection | undefined {
    return this.#connection?.isOpen() ? this.#connection : undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** What the server itself wrote to stderr, or answered, when it failed last. It is data, not our wording. */
  get lastWords(): string | undefined {
    return this.#lastWords;
  }

  /** For how many milliseconds it has been coming up, failed starts included; 0 if it is ready, or not wanted. */
  get comingUpMs(): number {
    return this.#wantedSince === undefined ? 0 : this.#needs.tick() - this.#wantedSince;
  }

  /** Resolves to an open connection: starts one, or waits for a restart that is due. Throws CallFailure `not_started`. */
  async ready(): Promise<Connection> {
    if (this.#connection?.isOpen()) return this.#connection;
    if (this.#state === 'given_up') {
      const { restMs, tries } = this.#rule;
      if (this.#needs.tick() - this.#givenUpAt < restMs) {
        throw new CallFailure('not_started', `it was given up after ${tries} tries: ${this.#lastFailure}`);
      }
      this.#failures = tries - 1;
      return this.#begin(0);
    }
    return this.#starting ?? this.#begin(0);
  }

  /** Records that it has answered a call, so that its start counts as a success. */
  answered(): void {
    this.#hasAnswered = true;
  }

  /** Discards a connection that is of no more use; another one is opened after a pause. */
  replace(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#ended('it was replaced');
    connection.discard();
  }

  /** Ends a connection to a server that wants a login now. */
  lockOut(connection: Connection, why: string): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#lastFailure = why;
    this.#lockedOut();
    connection.kill();
  }

  /** Closes the connection. It stays stopped until `ready` is called. */
  async stop(): Promise<void> {
    this.#failures = 0;
    await this.#leave()?.close();
  }

  /** Like `stop`, but at once and synchronously. */
  kill(): void {
    this.#leave()?.kill();
  }

  #begin(delayMs: number): Promise<Connection> {
    const era = this.#era;
    this.#wantedSince ??= this.#needs.tick();
    this.#starting = (delayMs > 0 ? this.#pause(delayMs) : Promise.resolve()).then(() => this.#start(era));
    // Callers of `ready` get the error. A restart may have none, and must not be an unhandled rejection.
    this.#starting.catch(() => {});
    return this.#starting;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #start(era: number): Promise<Connection> {
    if (era !== this.#era) throw new CallFailure('not_started', 'it was stopped');
    this.#state = 'starting';
    let connection: Connection | undefined;
    let hasClosed = false;
    try {
      connection = await this.#needs.open(() => {
        hasClosed = true;
        // A connection that ends before it was ready has never been the current one.
        if (connection !== undefined && this.#connection === connection) this.#ended(connection.exit());
      });
      if (hasClosed) throw new CallFailure('not_started', 'it ended as soon as it was ready');
    } catch (error) {
      if (era === this.#era) {
        this.#lastFailure = messageOf(error);
        this.#lastWords = error instanceof CallFailure ? error.detail : undefined;
        if (error instanceof CallFailure && error.kind === 'needs_login') this.#lockedOut();
        else this.#retry();
      }
      throw error;
    }
    if (era !== this.#era) {
      connection.kill();
      throw new CallFailure('not_started', 'it was stopped');
    }
    this.#connection = connection;
    this.#wantedSince = undefined;
    this.#hasAnswered = false;
    this.#readyAt = this.#needs.tick();
    this.#state = 'ready';
    return connection;
  }

  #ended(how = 'it ended by itself'): void {
    this.#lastWords = this.#connection?.stderrTail() || undefined;
    this.#connection = undefined;
    this.#lastFailure = how;
    const wasStable = this.#needs.tick() - this.#readyAt >= this.#rule.stableMs;
    if (wasStable || this.#hasAnswered) this.#failures = 0;
    this.#needs.onLost();
    this.#retry();
  }

  /** Without a pause: what is missing is no matter of time. */
  #lockedOut(): void {
    this.#failures = 0;
    this.#starting = undefined;
    this.#wantedSince = undefined;
    this.#state = 'needs_login';
  }

  #retry(): void {
    this.#failures++;
    if (this.#failures > this.#rule.tries) {
      this.#state = 'given_up';
      this.#givenUpAt = this.#needs.tick();
      this.#starting = undefined;
      this.#needs.onGivenUp(this.#lastFailure ?? 'unknown');
      return;
    }
    this.#restarts++;
    this.#state = 'waiting';
    this.#begin(retryDelayMs(this.#rule.backoff, this.#failures, this.#needs.random));
  }

  /** Goes to `stopped` and hands out the connection that was current. */
  #leave(): Connection | undefined {
    const last = this.#connection;
    this.#era++;
    this.#connection = undefined;
    this.#starting = undefined;
    this.#wantedSince = undefined;
    this.#state = 'stopped';
    this.#endPause();
    return last;
  }
}
