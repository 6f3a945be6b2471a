import type { StrategyName } from '../../../src/agents/backtest/payload.js';
import { randomWalk } from './random-walk.js';
import { createWorkspace } from './workspace.js';

/**
 * Milliseconds of one backtest over ten years of days (2,520 bars), file to result: the median of five, after one that
 * loads the modules. Both legs of arbitrage are read.
 */
export async function measureBacktest(strategy: StrategyName): Promise<number> {
  const workspace = await createWorkspace();
  try {
    const bars = randomWalk(1, 2520);
    await workspace.writePrices('A', bars);
    await workspace.writePrices('B', randomWalk(2, 2520, bars));
    const ticker = strategy === 'arbitrage' ? 'A,B' : 'A';
    const times: number[] = [];
    for (let round = 0; round < 6; round++) {
      const startedAt = performance.now();
      await workspace.run({ strategy, ticker, start_date: '2015-01-01', end_date: '2024-12-31' });
      times.push(performance.now() - startedAt);
    }
    return times.slice(1).sort((left, right) => left - right)[2] ?? Number.NaN;
  } finally {
    await workspace.remove();
  }
}
