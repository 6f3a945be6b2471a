import type { Clock, EpochMs } from '../../base/clock.js';
import type { Database, Statement } from '../../store/sql.js';
import { count, type Increment, raise, raising } from './counters.js';
import { toPrometheus } from './prometheus.js';
import { readSnapshot } from './snapshot.js';
import { readSummary, type Summary } from './summary.js';

export interface MetricsNeeds {
  db: Database;
  clock: Clock;
  /** How many jobs of each type may run at once, over all processes. */
  slots: ReadonlyMap<string, number>;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Metrics over all processes, since the database was created. */
export function createMetrics({ db, clock, slots }: MetricsNeeds) {
  const toolCalls = createToolCallCounter();
  return {
    /** Counts the call of a tool, with `ok` or its error's code; written by `flush`. */
    countToolCall: toolCalls.count,
    /** Writes what was counted in memory. */
    flush: (): Promise<void> => toolCalls.flush(db),
    /** The statements that write what is left when the process ends. */
    ending: (): Statement[] => toolCalls.ending(),

    /** Of a window that ends now, or at a time in the past. */
    summary: (windowMs: number, to: EpochMs = clock.now()): Promise<Summary> =>
      readSummary(db, slots, { windowMs, now: to }),

    /** All metrics in the text format of Prometheus. */
    prometheus: async (): Promise<string> => toPrometheus(await readSnapshot(db, slots, clock.now())),
  };
}

/**
 * Counts calls of tools in memory and writes the sums now and then. A write for each would double the time of the shortest,
 * a read of 0.1 ms, and make all readers wait for the write lock. A process that is killed loses what it has counted since
 * its last heartbeat.
 */
function createToolCallCounter() {
  const calls = new Map<string, Increment>();

  function add(increment: Increment): void {
    const known = calls.get(increment.labels);
    if (known) known.by += increment.by;
    else calls.set(increment.labels, increment);
  }

  function take(): Increment[] {
    const taken = [...calls.values()];
    calls.clear();
    return taken;
  }

  return {
    count: (tool: string, status: string): void => add(count('tool_calls_total', { tool, status })),

    /** Writes the sums. Sums that could not be written are kept for the next time. */
    async flush(db: Database): Promise<void> {
      const taken = take();
      if (taken.length === 0) return;
      try {
        await db.transaction((sql) => raise(sql, taken), { beside: true });
      } catch (error) {
        for (const increment of taken) add(increment);
        throw error;
      }
    },

    /** The statements that write what is left when the process ends. */
    ending(): Statement[] {
      const taken = take();
      return taken.length === 0 ? [] : [raising(taken)];
    },
  };
}
