import type { EpochMs } from '../../base/clock.js';
import { type Agent, defineAgent } from '../define-agent.js';
import { backtestPayload } from './payload.js';
import type { PriceDownload } from './price-download.js';

export interface BacktestOptions {
  /** The price provider of AGENT_RUNTIME_PRICES_URL; without it, prices come from the data directory alone. */
  download?: PriceDownload | undefined;
  /** Time for `completed_at`. */
  now?: () => EpochMs;
}

/**
 * The agent of `backtest` jobs: trades daily bars of `<data>/prices/TICKER.csv`, with fills at the next open and with
 * commission. `reportBacktest` documents the result, to which `backtest_id` and `completed_at` are added. Permanent
 * errors: `PRICE_DATA_NOT_FOUND`, `PRICE_RANGE_EMPTY`, `PRICE_FILE_INVALID`, `FILE_NOT_ALLOWED`, `FILE_TOO_LARGE`,
 * `FILE_NOT_READABLE` and `PRICES_URL_INVALID`; `PRICE_DOWNLOAD_FAILED` may be transient.
 */
export function createBacktest({ download, now = Date.now }: BacktestOptions = {}): Agent<typeof backtestPayload> {
  return defineAgent({
    type: 'backtest',
    description:
      'Backtests a trading strategy (momentum, mean_reversion, arbitrage) on daily prices from files, with commission. ' +
      'Returns metrics, the round trips, and buy and hold as a benchmark.',
    payload: backtestPayload,
    async execute(job, context) {
      // Imported when a job runs, because a server that only checks payloads needs no CSV parser.
      const { runBacktest } = await import('./run-backtest.js');
      const report = await runBacktest(job.payload, context, download);
      return {
        backtest_id: `bt_${job.id.slice(0, 8)}`,
        ...report,
        completed_at: new Date(now()).toISOString(),
      };
    },
  });
}
