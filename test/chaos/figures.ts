import type { FaultCounts } from './faults.js';
import type { Ledger } from './ledger.js';

export interface Run {
  seed: number;
  minutes: number;
  seconds: number;
  counts: FaultCounts;
  ledger: Ledger;
  looks: number;
  problems: readonly string[];
}

/** What a run came to, for people. */
export function showFigures({ seed, minutes, seconds, counts, ledger, looks, problems }: Run): string {
  const rows = Object.entries(counts).map(
    ([kind, { kill, stop, step, missed }]) => `| ${kind} | ${kill} | ${stop} | ${step} | ${missed} |`,
  );
  const kills = Object.values(counts).reduce((sum, { kill }) => sum + kill, 0);
  const refused = [...ledger.refused].map(([code, count]) => `${code} ${count}`).join(', ');
  return [
    `seed ${seed}, ${minutes} minutes of faults, ${Math.round(seconds)} s in all: ${kills} kills`,
    '| process | killed | stopped | clock stepped | none there |',
    '|---|---|---|---|---|',
    ...rows,
    `calls ${ledger.calls}: acknowledged ${ledger.acknowledged}, without an answer ${ledger.lost}, refused: ${refused || 'none'}`,
    `tasks ${ledger.tasks.size}, claims ${ledger.claims.size}, ended ${ledger.ends.size}, notes ${ledger.notes.length}, ` +
      `jobs ${ledger.jobs.size}, results read ${ledger.results.size}, goals ${ledger.goals.size}, relays ${ledger.relays.size}, ` +
      `schedules ${ledger.timers.size + ledger.recurring.size}, ` +
      `steps ${ledger.batons.size}, tool calls ${ledger.answered.size}; the slowest call took ${Math.round(ledger.slowestMs)} ms`,
    `looks at the batons while it went on: ${looks}`,
    problems.length === 0 ? 'The books are right.' : `${problems.length} problems:`,
    ...problems.slice(0, 40).map((problem) => `- ${problem}`),
  ].join('\n');
}
