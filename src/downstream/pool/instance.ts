import { type Backoff, retryDelayMs } from '../../base/backoff.js';
import { messageOf } from '../../base/errors.js';
import { CallFailure } from '../connection/call-failure.js';
import type { Connection } from '../connection/connection.js';

export const instanceStates = ['stopped', 'starting', 'ready', 'waiting', 'given_up'] as const;
export type InstanceState = (typeof instanceStates)[number];

/** One of a server's instances: a place that a process or session is started in again and again. */
export interface Instance {
  /** `github#2`. */
  readonly id: string;
  state(): InstanceState;
  /** The connection, if it is up. */
  connection(): Connection | undefined;
  /** The connection, started if need be; waits for a restart that is due. Throws CallFailure `not_started`. */
  ready(): Promise<Connection>;
  /** Says that it has answered: a start that came to something. */
  hasAnswered(): void;
  /** Ends a connection that is of no use any more; it is started again after a pause. */
  replace(connection: Connection): void;
  /** Ends it, not to be started again until `ready` is called. */
  stop(): Promise<void>;
  kill(): void;
  restarts(): number;
  lastFailure(): string | undefined;
}

export interface InstanceNeeds {
  id: string;
  /** Starts one; `onClosed` is called once when it has ended, whoever ended it. */
  open(onClosed: () => void): Promise<Connection>;
  now(): number;
  random(): number;
  /** It has been given up: for the log of events. */
  onGivenUp(why: string): void;
  /** It has ended by itself. */
  onLost(): void;
  restart?: RestartRule;
}

export interface RestartRule {
  backoff: Backoff;
  /** Starts in a row that came to nothing, after which it is given up. */
  tries: number;
  /** Up for so long, all that was before is forgotten. */
  stableMs: number;
  /** Given up, it is tried again for a call when so much time has passed. */
  restMs: number;
}

/**
 * A crash after it has answered counts as the first try again: a server that is killed now and then must come back each
 * time, and only one that never comes to anything is given up.
 */
export const usualRestart: RestartRule = {
  backoff: { baseMs: 100, capMs: 30_000 },
  tries: 5,
  stableMs: 5 * 60_000,
  restMs: 60_000,
};

export function createInstance(needs: InstanceNeeds): Instance {
  const { id, open, now, random } = needs;
  const rule = needs.restart ?? usualRestart;
  let state: InstanceState = 'stopped';
  let current: Connection | undefined;
  let starting: Promise<Connection> | undefined;
  /** Bumped by every stop, so that a start under way then is thrown away. */
  let era = 0;
  let tries = 0;
  let answered = false;
  let startedAt = 0;
  let givenUpAt = 0;
  let restarts = 0;
  let failure: string | undefined;
  let endPause = () => {};

  function begin(delayMs: number): Promise<Connection> {
    const own = era;
    starting = (delayMs > 0 ? pause(delayMs) : Promise.resolve()).then(() => start(own));
    // Whoever waits for it hears of it; nobody may.
    starting.catch(() => {});
    return starting;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function start(own: number): Promise<Connection> {
    if (own !== era) throw new CallFailure('not_started', 'it was stopped');
    state = 'starting';
    let connection: Connection;
    try {
      let hasClosed = false;
      connection = await open(() => {
        hasClosed = true;
        // One that ends before it was ready has never been the current one.
        if (current !== undefined && current === connection) ended();
      });
      if (hasClosed) throw new CallFailure('not_started', 'it ended as soon as it was ready');
    } catch (error) {
      if (own === era) {
        failure = messageOf(error);
        retry();
      }
      throw error;
    }
    if (own !== era) {
      connection.kill();
      throw new CallFailure('not_started', 'it was stopped');
    }
    current = connection;
    answered = false;
    startedAt = now();
    state = 'ready';
    return connection;
  }

  function ended(): void {
    current = undefined;
    failure = 'it ended by itself';
    if (now() - startedAt >= rule.stableMs || answered) tries = 0;
    needs.onLost();
    retry();
  }

  function retry(): void {
    tries++;
    if (tries > rule.tries) {
      state = 'given_up';
      givenUpAt = now();
      starting = undefined;
      needs.onGivenUp(failure ?? 'unknown');
      return;
    }
    restarts++;
    state = 'waiting';
    begin(retryDelayMs(rule.backoff, tries, random));
  }

  function leave(): Connection | undefined {
    const last = current;
    era++;
    current = undefined;
    starting = undefined;
    state = 'stopped';
    endPause();
    return last;
  }

  return {
    id,
    state: () => state,
    connection: () => (current?.isOpen() ? current : undefined),
    restarts: () => restarts,
    lastFailure: () => failure,

    async ready() {
      if (current?.isOpen()) return current;
      if (state === 'given_up') {
        if (now() - givenUpAt < rule.restMs) {
          throw new CallFailure('not_started', `it was given up after ${rule.tries} tries: ${failure}`);
        }
        tries = rule.tries - 1;
        return begin(0);
      }
      return starting ?? begin(0);
    },

    hasAnswered() {
      answered = true;
    },

    replace(connection) {
      if (current !== connection) return;
      ended();
      connection.kill();
    },

    async stop() {
      tries = 0;
      await leave()?.close();
    },

    kill() {
      leave()?.kill();
    },
  };
}
