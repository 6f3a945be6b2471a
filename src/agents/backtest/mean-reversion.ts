import { type Band, nextState } from './band.js';
import { mean, standardDeviation } from './statistics.js';
import { flat, oneLeg, type Strategy } from './strategy.js';
import { valueAt } from './value-at.js';

export interface MeanReversionParams extends Band {
  /** Bars in the mean and the deviation, the deciding one included. */
  window: number;
}

/** Bollinger z: buys what has fallen `entry_z` standard deviations (divisor `window`) below its mean, sells at the mean. */
export function meanReversion(close: readonly number[], params: MeanReversionParams): Strategy {
  const { window } = params;
  return {
    warmUp: window - 1,
    decide(t, previous) {
      if (t < window - 1) return flat;
      return oneLeg(nextState(bollingerZ(close.slice(t - window + 1, t + 1)), previous, params));
    },
  };
}

function bollingerZ(closes: readonly number[]): number {
  const last = valueAt(closes, closes.length - 1);
  // Equal closes have no deviation; summing them would leave one of rounding errors, and a z of plus or minus 1.
  if (closes.every((close) => close === last)) return 0;
  return (last - mean(closes)) / standardDeviation(closes, 0);
}
