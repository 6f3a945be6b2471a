import { flat, oneLeg, type Strategy } from './strategy.js';
import { valueAt } from './value-at.js';

export interface MomentumParams {
  /** Bars to look back. */
  lookback: number;
  /** Return over the lookback above which it is long, as a fraction. */
  threshold: number;
  allow_short: boolean;
}

/**
 * Time-series momentum: long while the return over the last `lookback` bars is above the threshold, short (if allowed)
 * while it is below minus the threshold. (Moskowitz, Ooi, Pedersen 2012, Time series momentum.)
 */
export function momentum(close: readonly number[], params: MomentumParams): Strategy {
  const { lookback, threshold, allow_short } = params;
  return {
    warmUp: lookback,
    decide(t) {
      if (t < lookback) return flat;
      const change = valueAt(close, t) / valueAt(close, t - lookback) - 1;
      if (change > threshold) return oneLeg(1);
      return oneLeg(allow_short && change < -threshold ? -1 : 0);
    },
  };
}
