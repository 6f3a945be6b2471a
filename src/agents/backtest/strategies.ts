import { mean, type Regression, regress, standardDeviation, valueAt } from './statistics.js';

/** +1 long, 0 flat, -1 short. Of a pair, +1 is long the first leg and short the second. */
export type State = -1 | 0 | 1;

/** What to hold from the open of the next bar. */
export interface Target {
  readonly state: State;
  /** Signed share of the gross notional, one for each leg. Their magnitudes add up to 1, or to 0 when flat. */
  readonly weights: readonly number[];
}

/** Decides at the close of a bar, from closes up to that bar alone. */
export interface Strategy {
  /** Index of the first bar at which its indicator is defined, counted from the first row of the file. */
  readonly warmUp: number;
  /** The target decided at the close of bar `t`; `previous` is the state decided at bar `t - 1`. Pure. */
  decide(t: number, previous: State): Target;
}

export const flat: Target = { state: 0, weights: [] };
const long: Target = { state: 1, weights: [1] };
const short: Target = { state: -1, weights: [-1] };

/** The target of a strategy with one leg. */
export function oneLeg(state: State): Target {
  return state === 0 ? flat : state === 1 ? long : short;
}

export interface MomentumParams {
  /** Number of bars to look back. */
  lookback: number;
  /** Return over the lookback above which the position is long, as a fraction. */
  threshold: number;
  allow_short: boolean;
}

/**
 * Time-series momentum: long while the return over the last `lookback` bars is above the threshold, short (if allowed)
 * while it is below minus the threshold. Source: Moskowitz, Ooi, Pedersen 2012, Time series momentum.
 *
 * @param close closes by bar, oldest first
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

/** When a mean-reverting position is opened and closed, in standard deviations from the mean. */
export interface Band {
  /** Distance from 0 at which a position is opened against the move. */
  entry_z: number;
  /** Distance at which it is closed again; 0 is the mean. */
  exit_z: number;
  allow_short: boolean;
}

export interface MeanReversionParams extends Band {
  /** Number of bars in the mean and the deviation, including the current one. */
  window: number;
}

/**
 * Mean reversion by the z-score of Bollinger bands: buys at `entry_z` standard deviations (divisor `window`) below the
 * moving average, sells at `exit_z`. Source: Bollinger 2001, Bollinger on Bollinger Bands.
 *
 * @param close closes by bar, oldest first
 */
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

export interface ArbitrageParams extends Omit<Band, 'allow_short'> {
  /** Number of joined bars in the regression, including the current one. */
  window: number;
}

/**
 * Pairs trading: regresses ln A on ln B over the last `window` bars. When the last residual is `entry_z` deviations
 * low, it buys A and sells B in the ratio 1 : beta of the gross notional; when it is high, the reverse. A beta of 0 or
 * less opens no position; an open one is closed by z alone. Source: Gatev, Goetzmann, Rouwenhorst 2006, Pairs trading.
 *
 * @param closeA closes of the first leg by joined bar, oldest first
 * @param closeB closes of the second leg, of the same length
 */
export function arbitrage(closeA: readonly number[], closeB: readonly number[], params: ArbitrageParams): Strategy {
  const { window } = params;
  const band: Band = { ...params, allow_short: true };
  const logA = closeA.map(Math.log);
  const logB = closeB.map(Math.log);
  return {
    warmUp: window - 1,
    decide(t, previous) {
      if (t < window - 1) return flat;
      const fit = regress(logA.slice(t - window + 1, t + 1), logB.slice(t - window + 1, t + 1));
      if (!fit) return flat;
      const state = nextState(lastZ(fit), previous, band);
      if (state === 0 || (state !== previous && fit.beta <= 0)) return flat;
      return { state, weights: [state / (1 + fit.beta), (-state * fit.beta) / (1 + fit.beta)] };
    },
  };
}

/** The last residual divided by the root of the mean squared residual. */
function lastZ({ residuals }: Regression): number {
  let squares = 0;
  for (const residual of residuals) squares += residual ** 2;
  const deviation = Math.sqrt(squares / residuals.length);
  // Legs that move in step leave residuals of rounding alone (1e-16 of a log); any real price step is above 1e-9.
  return deviation < 1e-13 ? 0 : valueAt(residuals, residuals.length - 1) / deviation;
}

/** The state after a bar whose indicator is `z`: long below the band, short above it, flat again at the exit. */
function nextState(z: number, previous: State, { entry_z, exit_z, allow_short }: Band): State {
  const isLow = z <= -entry_z;
  const isHigh = allow_short && z >= entry_z;
  switch (previous) {
    case 0:
      return isLow ? 1 : isHigh ? -1 : 0;
    case 1:
      return isHigh ? -1 : z >= -exit_z ? 0 : 1;
    case -1:
      return isLow ? 1 : z <= exit_z ? 0 : -1;
  }
}
