import type { Simulation } from './simulation.js';
import { mean, standardDeviation } from './statistics.js';

/**
 * What a run is worth. Returns, volatility and drawdown are fractions, not percent; null where a figure is undefined
 * (no trades, no deviation, no loss, nothing left to annualise).
 */
export interface Metrics {
  bars: number;
  final_equity: number;
  total_return: number;
  cagr: number | null;
  annual_volatility: number | null;
  sharpe: number | null;
  sortino: number | null;
  /** 0 or below, against the highest equity so far, the initial capital included. */
  max_drawdown: number;
  /** Round trips. */
  trades: number;
  win_rate: number | null;
  profit_factor: number | null;
  /** Share of bars with a position. */
  exposure: number;
  commission_paid: number;
}

const barsPerYear = 252;
const msPerDay = 86_400_000;

/** The metrics of a simulation that ran from `firstDate` to `lastDate`; risk-free rate 0, 252 bars a year. */
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
    exposure: simulation.barsHeld / equity.length,
    commission_paid: sum(fills.map((fill) => fill.commission)),
  };
}

// As many returns as bars: the first is against the initial capital.
function returnsOf(equity: readonly number[], initialCapital: number): number[] {
  let previous = initialCapital;
  return equity.map((value) => {
    const change = value / previous - 1;
    previous = value;
    return change;
  });
}

/** A mean over its risk, annualised; null without risk. Below 1e-14 a deviation is rounding: a price that stood still. */
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

// 0 / 0, x / 0, and roots of a debt.
const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
