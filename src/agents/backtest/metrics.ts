import type { Simulation } from './simulation.js';
import { mean, standardDeviation } from './statistics.js';

/**
 * The performance of a run. Returns, volatility and drawdown are fractions, not percent. A figure is null where it is
 * undefined: no trades, no deviation, no loss, or no equity left to annualise.
 */
export interface Metrics {
  bars: number;
  final_equity: number;
  total_return: number;
  /** Compound annual growth rate, by calendar days. */
  cagr: number | null;
  /** Sample standard deviation of the daily returns times the root of 252. */
  annual_volatility: number | null;
  /** Mean daily return over its standard deviation, times the root of 252 (Sharpe 1994, The Sharpe ratio). */
  sharpe: number | null;
  /** The same over the downside deviation from 0 (Sortino and Price 1994). */
  sortino: number | null;
  /** Deepest fall below the highest equity so far, the initial capital included; 0 or negative. */
  max_drawdown: number;
  /** Number of round trips. */
  trades: number;
  /** Share of round trips with a profit. */
  win_rate: number | null;
  /** Sum of the profits over the sum of the losses. */
  profit_factor: number | null;
  /** Share of bars with a position. */
  exposure: number;
  commission_paid: number;
  /** What the fills cost more than the prices of the file. */
  slippage_paid: number;
}

const barsPerYear = 252;
const msPerDay = 86_400_000;

/** The metrics of a simulation from `firstDate` to `lastDate` (YYYY-MM-DD), with risk-free rate 0 and 252 bars a year. */
export function measure(simulation: Simulation, initialCapital: number, firstDate: string, lastDate: string): Metrics {
  const { equity, roundTrips, fills } = simulation;
  const finalEquity = equity.at(-1) ?? initialCapital;
  const days = (Date.parse(lastDate) - Date.parse(firstDate)) / msPerDay;
  const returns = returnsOf(equity, initialCapital);
  const deviation = standardDeviation(returns, 1);
  const downside = Math.sqrt(mean(returns.map((value) => Math.min(value, 0) ** 2)));
  const profits = roundTrips.map(({ cashBefore, cashAfter }) => cashAfter - cashBefore);
  return {
    bars: equity.length,
    final_equity: finalEquity,
    total_return: finalEquity / initialCapital - 1,
    cagr: orNull((finalEquity / initialCapital) ** (365.25 / days) - 1),
    annual_volatility: orNull(deviation * Math.sqrt(barsPerYear)),
    sharpe: ratio(mean(returns), deviation),
    sortino: ratio(mean(returns), downside),
    max_drawdown: maxDrawdown(equity, initialCapital),
    trades: roundTrips.length,
    win_rate: orNull(profits.filter((profit) => profit > 0).length / profits.length),
    profit_factor: orNull(sum(profits.filter((profit) => profit > 0)) / -sum(profits.filter((profit) => profit < 0))),
    exposure: simulation.isHeld.filter(Boolean).length / equity.length,
    commission_paid: sum(fills.map((fill) => fill.commission)),
    slippage_paid: sum(fills.map((fill) => fill.slippage)),
  };
}

/** Daily returns as fractions, as many as bars: the first is against the initial capital. */
export function returnsOf(equity: readonly number[], initialCapital: number): number[] {
  let previous = initialCapital;
  return equity.map((value) => {
    const change = value / previous - 1;
    previous = value;
    return change;
  });
}

/** Mean return over risk, annualised; null without risk. A deviation below 1e-14 is rounding of a constant price. */
function ratio(meanReturn: number, risk: number): number | null {
  return risk < 1e-14 ? null : orNull((meanReturn / risk) * Math.sqrt(barsPerYear));
}

function maxDrawdown(equity: readonly number[], initialCapital: number): number {
  let peak = initialCapital;
  let worst = 0;
  for (const value of equity) {
    peak = Math.max(peak, value);
    worst = Math.min(worst, value / peak - 1);
  }
  return worst;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

// Not finite are 0 / 0, x / 0 and a root of negative equity.
const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
