import type { JsonObject } from '../../base/json.js';
import type { ChosenStrategy } from './chosen-strategy.js';
import type { Cointegration } from './cointegration.js';
import type { BarRange, Market } from './market.js';
import type { Metrics } from './metrics.js';
import { type BacktestPayload, weightsOf } from './payload.js';
import type { PriceFile } from './price-store.js';
import type { Relative } from './relative.js';
import type { Simulation } from './simulation.js';
import { valueAt } from './statistics.js';
import type { Strategy } from './strategies.js';

export interface BacktestOutcome {
  payload: BacktestPayload;
  chosen: ChosenStrategy;
  /** One file, or the two of a pair in the order of their legs. */
  files: readonly PriceFile[];
  /** Date of each bar in the range, YYYY-MM-DD. */
  dates: readonly string[];
  run: Simulation;
  /** Of a portfolio, the run of each ticker. */
  sleeves: readonly Simulation[];
  /** Buy and hold of what is traded (of a pair, the first leg), or of the benchmark ticker. */
  hold: Simulation;
  /** Date of each bar of `hold`. */
  holdDates: readonly string[];
  /** Set where a benchmark ticker was named. */
  relative: Relative | undefined;
  metrics: Metrics;
  benchmark: Metrics;
  /** Undefined when there is no pair, null when it has no spread to test. */
  cointegration: Cointegration | null | undefined;
  warnings: string[];
}

/**
 * The result of a backtest job.
 *
 * - the request: `strategy, ticker, pair_ticker` (pairs), `tickers, weights` (portfolios), `params` (all, defaults filled in),
 *   `start_date, end_date, initial_capital, commission, benchmark_ticker`, and `slippage_bps` where it is above 0, as all
 *   figures of slippage;
 * - `bars, final_equity, total_return, cagr, annual_volatility, sharpe, sortino, max_drawdown, trades, win_rate,
 *   profit_factor, exposure, commission_paid`: see `Metrics`; `benchmark` has the same for buy and hold of `ticker`;
 * - `relative`, with a benchmark ticker: see `Relative`; `benchmark` is then buy and hold of that ticker. `holdings`, of a
 *   portfolio: `ticker, weight, final_equity, total_return, trades, data` of each;
 * - when it is read whole, the same figures under the names of the earlier job server: `final_value, annualized_return,
 *   sharpe_ratio, num_trades, portfolio_values: [{date, value}]`. Its list `trades` became `fills`, because `trades` is a
 *   count here;
 * - `equity_curve: [[date, equity]]`, `benchmark_curve` (the same for buy and hold), `trade_list: [{entry_date, exit_date,
 *   direction, pnl, return}]` (direction `long` or `short`, of the first leg), `fills: [{date, ticker, action, price,
 *   quantity, commission}]`;
 * - `data` (and `pair_data`): the file, its number of rows with prices, first and last date, whether prices were
 *   adjusted, how many rows were skipped; `cointegration` (pairs): see `Cointegration`; `warnings`: sentences.
 *
 * Money is in the currency of the prices; returns, rates and drawdowns are fractions; an undefined figure is null.
 */
export function reportBacktest(outcome: BacktestOutcome): JsonObject {
  const { payload, chosen, files, dates, run, hold, holdDates, metrics, benchmark, cointegration, warnings } = outcome;
  const hasSlippage = (payload.slippage_bps ?? 0) > 0;
  const isPortfolio = payload.tickers !== undefined;
  const [main, pair] = files.map(describeData);
  return {
    strategy: chosen.name,
    ticker: payload.tickers?.join(',') ?? valueAt(files, 0).ticker,
    ...(isPortfolio ? { tickers: payload.tickers ?? [], weights: weightsOf(payload) } : {}),
    ...(files[1] && !isPortfolio ? { pair_ticker: files[1].ticker } : {}),
    params: { ...chosen.params },
    start_date: payload.start_date,
    end_date: payload.end_date,
    initial_capital: payload.initial_capital,
    commission: payload.commission,
    ...(hasSlippage ? { slippage_bps: payload.slippage_bps ?? 0 } : {}),
    ...withSlippageIf(hasSlippage, { ...metrics }, 'slippage_paid'),
    benchmark: withSlippageIf(hasSlippage, { ...benchmark }, 'slippage_paid'),
    ...(outcome.relative
      ? { benchmark_ticker: payload.benchmark_ticker ?? '', relative: { ...outcome.relative } }
      : {}),
    ...(cointegration === undefined ? {} : { cointegration: cointegration && { ...cointegration } }),
    data: main ?? {},
    ...(isPortfolio ? { holdings: describeHoldings(outcome) } : {}),
    ...(pair && !isPortfolio ? { pair_data: pair } : {}),
    warnings,
    trade_list: run.roundTrips.map(({ ticker, entryDate, exitDate, direction, cashBefore, cashAfter }) => ({
      ...(isPortfolio ? { ticker } : {}),
      entry_date: entryDate,
      exit_date: exitDate,
      direction,
      pnl: cashAfter - cashBefore,
      return: (cashAfter - cashBefore) / cashBefore,
    })),
    fills: run.fills.map((fill) => withSlippageIf(hasSlippage, { ...fill }, 'slippage')),
    equity_curve: run.equity.map((value, i) => [valueAt(dates, i), value]),
    benchmark_curve: hold.equity.map((value, i) => [valueAt(holdDates, i), value]),
  };
}

/** Without the figure of slippage, unless there was any. */
function withSlippageIf<Figures extends JsonObject>(
  hasSlippage: boolean,
  figures: Figures,
  name: keyof Figures,
): JsonObject {
  const { [name]: _, ...others } = figures;
  return hasSlippage ? figures : others;
}

/** What each ticker of a portfolio has done with its share of the capital. */
function describeHoldings({ payload, files, sleeves }: BacktestOutcome): JsonObject[] {
  const weights = weightsOf(payload);
  return files.map((file, place) => {
    const { equity, roundTrips } = valueAt(sleeves, place);
    const [weight, finalEquity] = [valueAt(weights, place), valueAt(equity, equity.length - 1)];
    return {
      ticker: file.ticker,
      weight,
      final_equity: finalEquity,
      total_return: finalEquity / (payload.initial_capital * weight) - 1,
      trades: roundTrips.length,
      data: describeData(file),
    };
  });
}

function describeData({ file, prices }: PriceFile): JsonObject {
  return {
    file,
    rows: prices.dates.length,
    first_date: valueAt(prices.dates, 0),
    last_date: valueAt(prices.dates, prices.dates.length - 1),
    adjusted: prices.isAdjusted,
    skipped_rows: prices.skippedRows,
  };
}

interface Traded extends Pick<BacktestOutcome, 'files' | 'run'> {
  market: Market;
  range: BarRange;
  strategy: Strategy;
}

const msPerDay = 86_400_000;
/** Weekends and holidays are shorter than this; a longer gap is missing data. */
const gapDays = 7;

/** Sentences about missing data and early ends that a reader of the result must know. */
export function findWarnings({ start_date, end_date }: BacktestPayload, traded: Traded): string[] {
  const { files, market, range, strategy, run } = traded;
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
