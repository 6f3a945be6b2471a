import type { Connection } from '../connection/connection.js';

export interface HealthRule {
  intervalMs: number;
  timeoutMs: number;
}

export interface Health {
  /** Looks at a connection now and then, also while calls are under way: a hung one always has some. */
  watch(connection: Connection): void;
  forget(connection: Connection): void;
  /** Looks now, because a call has had no answer, which may be the first strike. Resolves to whether it is well. */
  probe(connection: Connection, strikes: 0 | 1): Promise<boolean>;
  /** Whether it has a strike, so that others are to be preferred until it is known how it is. */
  isSuspect(connection: Connection): boolean;
  /** Resolves when nothing is being looked at on this connection. */
  settled(connection: Connection): Promise<void>;
  stop(): void;
}

export interface HealthNeeds {
  /** It has two strikes. */
  onSick(connection: Connection, why: string): void;
}

interface Watched {
  timer: NodeJS.Timeout | undefined;
  strikes: number;
  looking: Promise<boolean> | undefined;
}

/** With no rule nothing is looked at unasked, but a call without an answer is still followed up. */
export function createHealth(rule: HealthRule | undefined, { onSick }: HealthNeeds): Health {
  const watched = new Map<Connection, Watched>();
  const timeoutMs = rule?.timeoutMs ?? 2_000;

  function later(connection: Connection, state: Watched, ms: number): void {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => void look(connection, state), ms);
    state.timer.unref();
  }

  function look(connection: Connection, state: Watched): Promise<boolean> {
    state.looking ??= ask(connection, state).finally(() => {
      state.looking = undefined;
    });
    return state.looking;
  }

  /** Until it answers, or has two strikes; in between it is suspect, and no more calls are given to it. */
  async function ask(connection: Connection, state: Watched): Promise<boolean> {
    for (;;) {
      try {
        await connection.check(timeoutMs);
        state.strikes = 0;
        if (rule && watched.has(connection)) later(connection, state, rule.intervalMs);
        return true;
      } catch {
        if (!watched.has(connection)) return false;
        state.strikes++;
        if (state.strikes < 2) continue;
        forget(connection);
        onSick(connection, `it gave no answer twice, the last time to a health check within ${timeoutMs} ms`);
        return false;
      }
    }
  }

  function forget(connection: Connection): void {
    clearTimeout(watched.get(connection)?.timer);
    watched.delete(connection);
  }

  return {
    watch(connection) {
      const state: Watched = { timer: undefined, strikes: 0, looking: undefined };
      watched.set(connection, state);
      if (rule) later(connection, state, rule.intervalMs);
    },
    forget,
    async probe(connection, strikes) {
      const state = watched.get(connection);
      if (!state) return false;
      if (state.looking) return state.looking;
      state.strikes = Math.max(state.strikes, strikes);
      return look(connection, state);
    },
    isSuspect: (connection) => (watched.get(connection)?.strikes ?? 0) > 0,
    async settled(connection) {
      await watched.get(connection)?.looking;
    },
    stop() {
      for (const connection of [...watched.keys()]) forget(connection);
    },
  };
}
