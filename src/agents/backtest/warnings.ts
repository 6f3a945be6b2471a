import type { BarRange, Market } from './market.js';
import type { BacktestPayload } from './payload.js';
import type { PriceFile } from './price-store.js';
import type { Simulation } from './simulation.js';
import type { Strategy } from './strategy.js';

interface Outcome {
  files: readonly PriceFile[];
  market: Market;
  range: BarRange;
  strategy: Strategy;
  run: Simulation;
}

const msPerDay = 86_400_000;
/** Weekends and holidays are shorter than this; a longer gap is missing data. */
const gapDays = 7;

/** What a reader of the result must know before believing it, as sentences. */
export function warnAbout({ start_date, end_date }: BacktestPayload, outcome: Outcome): string[] {
  const { files, market, range, strategy, run } = outcome;
  const warnings: string[] = [];
  for (const { file, prices } of files) {
    if (prices.skippedRows > 0) warnings.push(`${file}: ${prices.skippedRows} rows without prices were skipped.`);
  }
  const [firstBar, lastBar] = [market.dates[range.first] ?? start_date, market.dates[range.last] ?? end_date];
  if (daysBetween(start_date, firstBar) > gapDays) {
    warnings.push(`The first bar is ${firstBar}; there are no prices from start_date ${start_date} to then.`);
  }
  if (daysBetween(lastBar, end_date) > gapDays) {
    warnings.push(`The last bar is ${lastBar}; there are no prices from then to end_date ${end_date}.`);
  }
  if (range.first - 1 < strategy.warmUp) {
    const ready = market.dates[strategy.warmUp];
    const until = ready === undefined || ready > lastBar ? 'in the whole range' : `before the close of ${ready}`;
    warnings.push(
      `Only ${range.first} bars precede the range and the indicator needs ${strategy.warmUp + 1}: no position ${until}.`,
    );
  }
  if (run.stoppedAt !== undefined) warnings.push(`Trading stopped on ${run.stoppedAt}: no cash was left.`);
  return warnings;
}

const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / msPerDay;
