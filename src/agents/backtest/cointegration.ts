import type { BarRange, Market } from './market.js';
import { regress } from './statistics.js';
import { valueAt } from './value-at.js';

/** Whether the two legs of a pair drift back together, over the bars of the range. */
export interface Cointegration {
  /** Of ln A = alpha + beta ln B + u. */
  alpha: number;
  beta: number;
  /** Of du = rho u(t-1) + e; below 0 when the spread reverts. */
  rho: number;
  t_statistic: number;
  critical_value_5_percent: number;
  /** t below the critical value: "no cointegration" is refused at 5 %. */
  is_cointegrated: boolean;
  /** Differences in the second regression: bars - 1. */
  observations: number;
}

/**
 * Engle-Granger test in two steps, with a constant and no lags; the critical value is MacKinnon's (2010, two series,
 * constant). Null for a pair without a spread to test: a leg that never moves, legs that move as one, under 4 bars.
 * Only bars of the range are used, as the rest of the result does.
 */
export function testCointegration(market: Market, { first, last }: BarRange): Cointegration | null {
  const [logA, logB] = market.legs.map((leg) => leg.close.slice(first, last + 1).map(Math.log));
  const fit = logA && logB ? regress(logA, logB) : undefined;
  const n = last - first;
  if (!fit || n < 3) return null;
  const u = fit.residuals;
  let [products, squares] = [0, 0];
  for (let t = 1; t <= n; t++) {
    products += valueAt(u, t - 1) * (valueAt(u, t) - valueAt(u, t - 1));
    squares += valueAt(u, t - 1) ** 2;
  }
  const rho = products / squares;
  let errors = 0;
  for (let t = 1; t <= n; t++) errors += (valueAt(u, t) - valueAt(u, t - 1) - rho * valueAt(u, t - 1)) ** 2;
  const t_statistic = rho / Math.sqrt(errors / (n - 1) / squares);
  // Residuals of rounding alone, as in `arbitrage`.
  if (Math.sqrt(squares / n) < 1e-13 || !Number.isFinite(t_statistic)) return null;
  const critical = -3.33613 - 6.1101 / n - 6.823 / n ** 2;
  return {
    alpha: fit.alpha,
    beta: fit.beta,
    rho,
    t_statistic,
    critical_value_5_percent: critical,
    is_cointegrated: t_statistic < critical,
    observations: n,
  };
}
