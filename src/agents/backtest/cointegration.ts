import type { BarRange, Market } from './market.js';
import { regress, valueAt } from './statistics.js';

/** Result of the Engle-Granger test: whether the spread of a pair reverts to its mean. */
export interface Cointegration {
  /** Intercept of ln A = alpha + beta ln B + u. */
  alpha: number;
  /** Slope of the same regression, the hedge ratio. */
  beta: number;
  /** Coefficient of du = rho u(t-1) + e; below 0 when the spread reverts. */
  rho: number;
  t_statistic: number;
  critical_value_5_percent: number;
  /** Whether t is below the critical value, so that "no cointegration" is rejected at 5 %. */
  is_cointegrated: boolean;
  /** Number of differences in the second regression: bars - 1. */
  observations: number;
}

/**
 * Tests a pair for cointegration in two steps, with a constant and no lags, over the bars of the range alone. Returns
 * null when there is no spread to test: a leg never moves, the legs move in step, or there are fewer than 4 bars.
 * Sources: Engle and Granger 1987, Co-integration and error correction; MacKinnon 2010, Critical values for cointegration
 * tests (two series, constant).
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
  // Such small residuals are rounding errors, as in `arbitrage`.
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
