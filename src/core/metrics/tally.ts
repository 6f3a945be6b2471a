import type { Database, Statement } from '../../store/sql.js';
import { count, type Increment, raise, raising } from './counters.js';

export type Tally = ReturnType<typeof createTally>;

/**
 * Calls of tools, counted in memory and written now and then: a write for each would make the shortest of them, a read
 * of 0.1 ms, twice as long, and have all readers wait for the write lock. A process that is killed loses what it has
 * counted since its last heartbeat.
 */
export function createTally() {
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
    countToolCall: (tool: string, status: string): void => add(count('tool_calls_total', { tool, status })),

    /** Writes what was counted; what could not be written is kept for the next time. */
    async flush(db: Database): Promise<void> {
      const taken = take();
      if (taken.length === 0) return;
      try {
        await db.transaction((sql) => raise(sql, taken));
      } catch (error) {
        for (const increment of taken) add(increment);
        throw error;
      }
    },

    /** What is left to write when the process ends. */
    ending(): Statement[] {
      const taken = take();
      return taken.length === 0 ? [] : [raising(taken)];
    },
  };
}
