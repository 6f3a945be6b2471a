import { setImmediate } from 'node:timers/promises';
import type { JsonObject } from '../../base/json.js';
import type { AgentContext } from '../define-agent.js';
import { type ChosenStrategy, chooseStrategy, createStrategy } from './chosen-strategy.js';
import { testCointegration } from './cointegration.js';
import { drawEquityChart } from './equity-chart.js';
import { type BarRange, findRange, joinMarket, type Market } from './market.js';
import { measure } from './metrics.js';
import { type BacktestPayload, tickersOf, weightsOf } from './payload.js';
import { buyAndHold, combine, compareWithBenchmark, sleeveOf } from './portfolio.js';
import type { PriceDownload } from './price-download.js';
import { loadPrices, type PriceFile } from './price-store.js';
import { findWarnings, reportBacktest } from './report.js';
import { type Account, type Simulation, simulate } from './simulation.js';
import { valueAt } from './statistics.js';
import { flat, type State, type Strategy, type Target } from './strategies.js';

/**
 * Runs one backtest: reads the prices, decides a target at the close of each bar, trades it at the next open, and
 * compares the outcome with buy and hold of the first ticker. The same files and payload give the same result.
 *
 * @throws AgentError as `loadPrices` and `findRange` do; the signal's reason when it is cancelled.
 */
export async function runBacktest(
  payload: BacktestPayload,
  context: AgentContext,
  download: PriceDownload | undefined,
): Promise<JsonObject> {
  const { initial_capital: initialCapital, commission } = payload;
  const account = { initialCapital, commission, slippage: (payload.slippage_bps ?? 0) / 10_000 };
  const weights = weightsOf(payload);
  const chosen = chooseStrategy(payload);

  context.progress(0, 'Reading prices');
  const [files, benchmarkFile] = await loadFiles(payload, chosen, context, download);
  const market = joinMarket(files);
  const range = findRange(market, payload.start_date, payload.end_date, files);
  const dates = market.dates.slice(range.first, range.last + 1);

  const strategy = createStrategy(chosen, market);
  const sleeves = payload.tickers
    ? await runSleeves(
        payload.tickers.map((_, leg) => sleeveOf(market, leg)),
        weights,
        { chosen, range, account, context },
      )
    : [simulate(market, range, await decideTargets(strategy, range, context), account)];
  const run = combine(sleeves);
  const against = benchmarkFile && compareWithBenchmark({ dates, equity: run.equity }, benchmarkFile, account);
  const hold = against?.hold ?? buyAndHold(market, range, account, weights);
  const holdDates = against?.dates ?? dates;

  context.progress(0.95, 'Measuring');
  const [firstDate, lastDate] = [valueAt(dates, 0), valueAt(dates, dates.length - 1)];
  const warnings = findWarnings(payload, { files, market, range, strategy, run });
  if (against && against.dates.length < dates.length) {
    const absent = dates.length - against.dates.length;
    warnings.push(
      `${payload.benchmark_ticker} has no prices on ${absent} of the traded days; they are left out of the comparison.`,
    );
  }
  for (const warning of warnings) context.warn(warning);
  const report = reportBacktest({
    payload,
    chosen,
    files,
    dates,
    run,
    sleeves: payload.tickers ? sleeves : [],
    hold,
    holdDates,
    relative: against?.relative,
    metrics: measure(run, initialCapital, firstDate, lastDate),
    benchmark: measure(hold, initialCapital, valueAt(holdDates, 0), valueAt(holdDates, holdDates.length - 1)),
    cointegration: chosen.name === 'arbitrage' ? testCointegration(market, range) : undefined,
    warnings,
  });
  if (payload.plot) report.plot = await savePlot(payload, { dates, run, hold, holdDates }, context);
  context.progress(1, 'Done');
  return report;
}

async function loadFiles(
  payload: BacktestPayload,
  chosen: ChosenStrategy,
  context: AgentContext,
  download: PriceDownload | undefined,
): Promise<[files: PriceFile[], benchmark: PriceFile | undefined]> {
  const { start_date: startDate, end_date: endDate, adjusted } = payload;
  const { dataDir, signal } = context;
  const warmUp = 'lookback' in chosen.params ? chosen.params.lookback : chosen.params.window;
  const downloadFrom = daysBefore(startDate, warmUp);
  const files: PriceFile[] = [];
  // In sequence, so that nothing of the second is downloaded when the first is missing.
  const traded = tickersOf(payload);
  const named = payload.benchmark_ticker === undefined ? traded : [...traded, payload.benchmark_ticker];
  for (const ticker of named) {
    signal.throwIfAborted();
    const file = await loadPrices({ dataDir, ticker, adjusted, startDate, endDate, downloadFrom, download, signal });
    context.log('info', 'prices_read', { ticker, file: file.file, rows: file.prices.dates.length });
    files.push(file);
  }
  return [files.slice(0, traded.length), files[traded.length]];
}

/** A date (YYYY-MM-DD) at least `bars` trading days before `date`, holidays included. */
function daysBefore(date: string, bars: number): string {
  const days = Math.ceil((bars * 365.25) / 252) + 30;
  return new Date(Date.parse(date) - days * 86_400_000).toISOString().slice(0, 10);
}

/** The target of each bar in the range, decided at the close before it; flat where there is no bar before. */
async function decideTargets(strategy: Strategy, { first, last }: BarRange, context: AgentContext): Promise<Target[]> {
  const targets: Target[] = first === 0 ? [flat] : [];
  let previous: State = 0;
  for (let t = Math.max(first - 1, 0); t < last; t++) {
    if (targets.length % 128 === 0) {
      // Yields to a cancel and the heartbeat; 128 bars take about 15 ms with the longest window.
      await setImmediate();
      context.signal.throwIfAborted();
      context.progress(0.1 + 0.85 * (targets.length / (last - first + 1)), 'Trading');
    }
    const target = strategy.decide(t, previous);
    previous = target.state;
    targets.push(target);
  }
  return targets;
}

interface SleeveNeeds {
  chosen: ChosenStrategy;
  range: BarRange;
  account: Account;
  context: AgentContext;
}

/** Trades each ticker of a portfolio by itself, with its share of the capital. */
async function runSleeves(
  markets: readonly Market[],
  weights: readonly number[],
  { chosen, range, account, context }: SleeveNeeds,
): Promise<Simulation[]> {
  const runs: Simulation[] = [];
  for (const [place, market] of markets.entries()) {
    const targets = await decideTargets(createStrategy(chosen, market), range, context);
    const share = { ...account, initialCapital: account.initialCapital * valueAt(weights, place) };
    runs.push(simulate(market, range, targets, share));
  }
  return runs;
}

interface Drawn {
  dates: readonly string[];
  run: Simulation;
  hold: Simulation;
  /** Those of `dates` on which the benchmark has prices. */
  holdDates: readonly string[];
}

async function savePlot(
  payload: BacktestPayload,
  { dates, run, hold, holdDates }: Drawn,
  context: AgentContext,
): Promise<JsonObject> {
  const tickers = tickersOf(payload);
  const equityOf = new Map(holdDates.map((date, bar) => [date, valueAt(hold.equity, bar)]));
  let held = payload.initial_capital;
  const chart = drawEquityChart({
    title: `${payload.strategy} on ${tickers.join(' / ')}, ${dates.at(0)} to ${dates.at(-1)}`,
    dates,
    lines: [
      { name: 'Strategy', values: run.equity },
      {
        name: `Buy and hold ${payload.benchmark_ticker ?? payload.tickers?.join(', ') ?? tickers[0]}`,
        values: dates.map((date) => {
          held = equityOf.get(date) ?? held;
          return held;
        }),
      },
    ],
  });
  const { name, path } = await context.saveArtifact('equity.svg', chart);
  return { name, path };
}
