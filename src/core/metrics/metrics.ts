import type { Clock } from '../../base/clock.js';
import type { Database, Statement } from '../../store/sql.js';
import { toPrometheus } from './prometheus.js';
import { readSnapshot } from './snapshot.js';
import { readSummary, type Summary } from './summary.js';
import { createTally } from './tally.js';

export interface MetricsNeeds {
  db: Database;
  clock: Clock;
  /** How many jobs of each type may run at once, over all processes. */
  slots: ReadonlyMap<string, number>;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** What the runtime has done and does, over all processes and since the database was made. */
export function createMetrics({ db, clock, slots }: MetricsNeeds) {
  const tally = createTally();
  return {
    /** Counts the call of a tool, with `ok` or its error's code; written by `flush`. */
    countToolCall: tally.countToolCall,
    /** Writes what was counted in memory since the last time. */
    flush: (): Promise<void> => tally.flush(db),
    /** What is left to write when the process ends. */
    ending: (): Statement[] => tally.ending(),

    summary: (windowMs: number): Promise<Summary> => readSummary(db, slots, { windowMs, now: clock.now() }),

    /** All metrics in the text format of Prometheus. */
    prometheus: async (): Promise<string> => toPrometheus(await readSnapshot(db, slots)),
  };
}
