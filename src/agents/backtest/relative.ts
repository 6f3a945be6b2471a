import { mean, regress, standardDeviation, valueAt } from './statistics.js';

/** A run compared with a benchmark over the same bars. A figure is null where it is undefined. */
export interface Relative {
  /** Bars that both have. */
  bars: number;
  /**
   * Jensen's alpha: the mean daily return that beta does not explain, times 252, with risk-free rate 0 (Jensen 1968, The
   * performance of mutual funds).
   */
  alpha: number | null;
  /** Slope of the regression of the run's daily returns on those of the benchmark (Sharpe 1964). */
  beta: number | null;
  /** Pearson's correlation of the daily returns. */
  correlation: number | null;
  /** Sample standard deviation of the daily differences of return, times the root of 252. */
  tracking_error: number | null;
  /** Mean daily difference of return over its standard deviation, times the root of 252 (Grinold and Kahn 2000). */
  information_ratio: number | null;
}

const barsPerYear = 252;

/** Compares two series of daily returns, as fractions, bar by bar. */
export function measureRelative(returns: readonly number[], benchmark: readonly number[]): Relative {
  const differences = returns.map((value, bar) => value - valueAt(benchmark, bar));
  const fit = regress(returns, benchmark);
  const [ofRun, ofBenchmark, ofDifference] = [returns, benchmark, differences].map((values) =>
    standardDeviation(values, 1),
  ) as [number, number, number];
  return {
    bars: returns.length,
    alpha: orNull(fit && fit.alpha * barsPerYear),
    beta: orNull(fit?.beta),
    correlation: isMoving(ofRun) ? orNull(fit && (fit.beta * ofBenchmark) / ofRun) : null,
    tracking_error: orNull(ofDifference * Math.sqrt(barsPerYear)),
    information_ratio: isMoving(ofDifference)
      ? orNull((mean(differences) / ofDifference) * Math.sqrt(barsPerYear))
      : null,
  };
}

/** A deviation below 1e-14 is rounding of a constant. */
const isMoving = (deviation: number): boolean => deviation >= 1e-14;

const orNull = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
